package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"nightshift/rules"
)

// formatting is one call of rules fmt.
type formatting struct {
	*program
	check, diff bool
	files       int
	changed     []string
	problems    rules.Problems
}

func (p *program) rulesFmt() *cobra.Command {
	f := &formatting{program: p, changed: []string{}}
	cmd := &cobra.Command{
		Use: "fmt [FILE|DIRECTORY]…", Short: "Write rule files, their tests and tables as all are written", Args: cobra.ArbitraryArgs,
		Long: `Fmt writes rule files, their tests, parameters, sites and CSV tables in one
form: the order of keys, two spaces a level, single spaces in expressions,
quotation marks where they are needed or mean something, comments aligned.
Comments, and empty lines between groups, stay. What a file says never changes.

Without a name it formats the directory of NIGHTSHIFT_RULES; - is from the
standard input to the standard output, for editors. With --check the exit code
is 2 where a file would change.`,
		Example: "  nightshift rules fmt ./my-rules\n  nightshift rules fmt --check ./my-rules\n  nightshift rules fmt -d acceptance.yaml\n  nightshift rules fmt - < acceptance.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && args[0] == "-" {
				return f.stream(cmd.InOrStdin())
			}
			if err := f.all(args); err != nil {
				return err
			}
			return f.report()
		},
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing, and name the files that would change")
	cmd.Flags().BoolVarP(&f.diff, "diff", "d", false, "change nothing, and print what would change")
	return cmd
}

// stream formats what an editor hands over.
func (f *formatting) stream(in io.Reader) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read the standard input: %w", err)
	}
	tidy, err := rules.Format("stdin.yaml", text)
	if err != nil {
		return f.program.problems(err)
	}
	_, err = f.out.Write(tidy)
	return err
}

// all formats every file that was named, or that lies in a named directory.
func (f *formatting) all(args []string) error {
	switch {
	case len(args) > 0:
	case f.settings.Rules != "":
		args = []string{f.settings.Rules}
	case f.check || f.diff:
		return f.directory(rules.Defaults(), "")
	default:
		return misuse("the rules built in cannot be changed: name files or a directory, or set NIGHTSHIFT_RULES")
	}
	for _, name := range args {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			return misuse("format %s: there is no such file or directory", name)
		case info.IsDir():
			err = f.directory(os.DirFS(name), name)
		case !isRuleFile(name):
			return misuse("format %s: only .yaml and .csv files are formatted", name)
		default:
			err = f.file(os.DirFS(filepath.Dir(name)), filepath.Base(name), name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func isRuleFile(name string) bool {
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".csv")
}

// directory formats what lies below a directory; at is where it is, empty for
// the files built in.
func (f *formatting) directory(files fs.FS, at string) error {
	return fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(entry.Name(), ".") && name != "."
		switch {
		case err != nil:
			return err
		case entry.IsDir() && hidden:
			return fs.SkipDir
		case entry.IsDir() || hidden || !isRuleFile(name):
			return nil
		}
		return f.file(files, name, filepath.Join(at, filepath.FromSlash(name)))
	})
}

// file formats one file and puts the new text in its place, whole.
func (f *formatting) file(files fs.FS, name, path string) error {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return fmt.Errorf("format %s: %w", path, err)
	}
	f.files++
	tidy, err := rules.Format(path, text)
	var problems rules.Problems
	switch {
	case errors.As(err, &problems):
		f.problems = append(f.problems, problems...)
		return nil
	case err != nil:
		return err
	case bytes.Equal(text, tidy):
		return nil
	}
	f.changed = append(f.changed, path)
	if f.diff && !f.json {
		f.printf("%s", diff.Diff(path, text, path+" (formatted)", tidy))
	}
	if f.check || f.diff {
		return nil
	}
	return replaceFile(path, tidy)
}

// replaceFile writes a text beside a file and then renames it, so that no half
// of it is ever taken for the whole. A link stays a link, rights stay rights.
func replaceFile(path string, text []byte) error {
	to, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	info, err := os.Stat(to)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	w, err := os.CreateTemp(filepath.Dir(to), ".nightshift-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(w.Name()) // after the rename there is nothing to remove
	_, err = w.Write(text)
	err = errors.Join(err, w.Chmod(info.Mode().Perm()), w.Close())
	if err == nil {
		err = os.Rename(w.Name(), to)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// report says what was changed, or would be.
func (f *formatting) report() error {
	if f.json {
		if len(f.problems) > 0 {
			return f.program.problems(f.problems)
		}
		if err := f.printJSON(map[string]any{"ok": len(f.changed) == 0, "files": f.files, "changed": f.changed, "written": !f.check && !f.diff}); err != nil {
			return err
		}
	} else if !f.diff {
		for _, name := range f.changed {
			f.printf("%s\n", name)
		}
	}
	switch {
	case len(f.problems) > 0:
		return f.problems
	case f.check && len(f.changed) > 0:
		return misuse("%d of %d files are not formatted: run `nightshift rules fmt`", len(f.changed), f.files)
	}
	return nil
}
