package main

import (
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress is a bar on a terminal, with rate and time left; in a pipe it is
// silent.
type progress struct {
	p    *program
	what string // what is counted: orders, B
	bar  *progressbar.ProgressBar
	name string
}

func (p *program) progress(what string) *progress {
	if !p.terminal(p.errs) {
		return nil
	}
	return &progress{p: p, what: what}
}

// of says how far something has come; another name begins another bar.
func (pr *progress) of(name string, done, total int64) {
	if pr == nil || total <= 0 {
		return
	}
	if pr.bar == nil || pr.name != name {
		pr.end()
		pr.name = name
		pr.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(pr.p.errs), progressbar.OptionSetDescription(name),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionShowBytes(pr.what == "B"), progressbar.OptionSetItsString(pr.what),
			progressbar.OptionSetPredictTime(true), progressbar.OptionSetElapsedTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(24), progressbar.OptionUseANSICodes(true))
	}
	_ = pr.bar.Set64(min(done, total)) // a bar that cannot be drawn is nobody's trouble
}

// end leaves the bar as it stands.
func (pr *progress) end() {
	if pr == nil || pr.bar == nil {
		return
	}
	_ = pr.bar.Exit()
	fmt.Fprintln(pr.p.errs)
	pr.bar = nil
}
