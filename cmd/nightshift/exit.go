package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"nightshift/jobs"
	"nightshift/jobs/intake"
	"nightshift/reports"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// The exit codes, as schedulers read them.
const (
	exitDone    = 0
	exitFailed  = 1  // safe to start again
	exitMisuse  = 2  // wrongly asked, or bad input
	exitParked  = 3  // done, but something was set aside, or paused by a person
	exitControl = 4  // a control total does not tie
	exitAlive   = 75 // somebody else is running it
)

// errSetAside is the end of a command that did its work and set some of it
// aside.
var errSetAside = errors.New("some of it was set aside")

// misused is a command that was wrongly asked for.
type misused struct{ reason string }

func (m misused) Error() string { return m.reason }

// misuse says what is wrong with what was typed, and what to type instead.
func misuse(format string, args ...any) error { return misused{fmt.Sprintf(format, args...)} }

// wrongly are the errors whose cause is the request or the input.
var wrongly = []error{jobs.ErrBadRequest, storage.ErrNoSubscription, storage.ErrNoOrder, storage.ErrNoRun, storage.ErrNoDocument, storage.ErrPeriodClosed, storage.ErrAddress, rules.ErrNoPolicy, market.ErrOutsideCalendar}

// worst is the error of a command that set n candidates or rows aside: what
// went wrong says more than what was set aside.
func worst(err error, n int64) error {
	if err == nil && n > 0 {
		return errSetAside
	}
	return err
}

// exitCode is the one place where an error becomes a number.
func exitCode(err error) int {
	var failures jobs.Failures
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &failures):
		return worstCode(failures)
	case errors.Is(err, jobs.ErrAlive):
		return exitAlive
	case errors.Is(err, jobs.ErrControl), errors.Is(err, reports.ErrDoesNotTie), errors.Is(err, storage.ErrDocumentChanged):
		return exitControl
	case errors.Is(err, errSetAside), errors.Is(err, jobs.ErrPaused):
		return exitParked
	case isInput(err):
		return exitMisuse
	default:
		return exitFailed
	}
}

func isInput(err error) bool {
	var typed misused
	var file *intake.InputError
	var problems rules.Problems
	if errors.As(err, &typed) || errors.As(err, &file) || errors.As(err, &problems) {
		return true
	}
	for _, w := range wrongly {
		if errors.Is(err, w) {
			return true
		}
	}
	return false
}

// end closes what was opened, says what went wrong, and answers the exit code.
func (p *program) end(ctx context.Context, err error) int {
	if closing := p.close(); err == nil {
		err = closing
	}
	code := exitCode(err)
	if err == nil || errors.Is(err, errSetAside) { // what was set aside has been said with the results
		return code
	}
	message := strings.ReplaceAll(err.Error(), jobs.ErrBadRequest.Error()+": ", "") // the exit code says it
	if ctx.Err() != nil && code == exitFailed {
		message = "stopped: what was finished is kept; start it again to go on"
	}
	if p.json {
		text, _ := json.Marshal(map[string]any{"error": message, "exit": code})
		fmt.Fprintf(p.errs, "%s\n", text)
		return code
	}
	if problems := rules.Problems(nil); errors.As(err, &problems) {
		fmt.Fprintf(p.errs, "%s\n", message) // file:line:column comes first, where editors look for it
		return code
	}
	fmt.Fprintf(p.errs, "%s %s\n", p.paint(p.errs, red, "nightshift:"), message)
	return code
}
