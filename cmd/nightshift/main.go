// Command nightshift is the night of a cloud marketplace's back office: it
// takes orders in, accepts deliveries that nobody answered, and explains each
// decision.
//
// Owns: what a person or a scheduler types, the settings, the exit codes, the
// wall clock.
// Does not own: any rule of the trade (package rules), or how work is done
// (package jobs).
// Always: a command is a function of its arguments, its settings and the
// database; results go to standard output, everything else to standard error;
// no secret is printed.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // sites name their zones; a bare machine may have none

	"nightshift/storage/cluster"
)

func main() {
	cluster.GuardMain() // in the process that guards the embedded server this does not return
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // who asks a second time does not want to wait
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is one invocation. The exit code says what came of it: see exitCode.
func run(ctx context.Context, args []string, env func(string) string, out, errs io.Writer) int {
	p := &program{out: out, errs: errs, env: env}
	root := p.root()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	return p.end(ctx, err)
}
