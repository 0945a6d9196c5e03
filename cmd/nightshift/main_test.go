package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"nightshift/rules/market"
	"nightshift/rules/table"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

var update = flag.Bool("update", false, "write what the scripts compare with")

// TestMain lets the test binary be nightshift itself where it is called so.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "nightshift" {
		main()
	}
	storagetest.Main(m)
}

// named is a directory in which the test binary is called nightshift.
func named(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "nightshift")); err != nil {
		t.Fatal(err)
	}
	return bin
}

// TestScripts types what people type. Each script has a database of its own,
// and five commands besides the usual ones:
//
//	exits CODE nightshift …   its exit code is CODE
//	sql STATEMENT             what somebody with a database console does
//	book FILE                 what a run or a person books: KEY, INSTANT and a posting a line
//	hold NAME                 somebody else holds the lock until the script ends
//	login NAME                from here on the database is worked on by this login
func TestScripts(t *testing.T) {
	bin := named(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("DATABASE_URL", storagetest.URL(t))
			env.Setenv("USER", "ann")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "sql": sql, "book": book, "retype": retype, "hold": hold, "login": login(t)},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE command")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func open(ts *testscript.TestScript) *storage.Store {
	url := ts.Getenv("DATABASE_URL")
	s, err := storage.Open(context.Background(), storage.Config{DatabaseURL: url, OwnerURL: url})
	ts.Check(err)
	ts.Defer(func() { ts.Check(s.Close()) })
	return s
}

func sql(ts *testscript.TestScript, _ bool, args []string) {
	_, err := open(ts).DB().ExecContext(context.Background(), args[0])
	ts.Check(err)
}

func book(ts *testscript.TestScript, _ bool, args []string) {
	store, ctx := open(ts), context.Background()
	for _, line := range strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n") {
		words := strings.Fields(line) // KEY INSTANT FROM -> TO AMOUNT CURRENCY
		at, err := time.Parse(time.RFC3339, words[1])
		ts.Check(err)
		amount, err := market.ParseMoney(words[5] + " " + words[6])
		ts.Check(err)
		j := market.Journal{Key: words[0], Memo: "a journal of the script", At: at}
		j.Post(market.Account(words[2]), market.Account(words[4]), amount)
		on := market.DateOf(at, time.UTC)
		ts.Check(store.EnsureMonth(ctx, on))
		ts.Check(store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
			return tx.KeepJournals(ctx, storage.Keeping{Site: "cn", On: on}, storage.PersonSource(on), []market.Journal{j})
		}))
	}
}

// retype writes a row of a sheet of a workbook anew: retype FILE SHEET LINE CELL…
func retype(ts *testscript.TestScript, _ bool, args []string) {
	line, err := strconv.Atoi(args[2])
	ts.Check(err)
	out, err := table.Rewrite(args[0], args[1], strings.NewReader(ts.ReadFile(args[0])), map[int][]string{line: args[3:]}, nil)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), out, 0o600))
}

func hold(ts *testscript.TestScript, _ bool, args []string) {
	release, free, err := open(ts).Exclusive(context.Background(), args[0])
	ts.Check(err)
	if !free {
		ts.Fatalf("%s is held already", args[0])
	}
	ts.Defer(release)
}

func login(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		ts.Setenv("DATABASE_URL", storagetest.Login(t, ts.Getenv("DATABASE_URL"), args[0]))
	}
}
