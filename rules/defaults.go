package rules

import (
	"embed"
	"io/fs"
)

//go:embed defaults
var defaults embed.FS

// Defaults are the rule files that ship with the product, as a rule directory.
func Defaults() fs.FS {
	dir, err := fs.Sub(defaults, "defaults")
	if err != nil {
		panic(err) // only a malformed name can do this
	}
	return dir
}
