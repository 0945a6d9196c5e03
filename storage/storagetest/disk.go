package storagetest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Disk is a small disk for databases, that can be filled up.
type Disk struct {
	dir, name string
}

// NewDisk is a disk of so many megabytes, in memory; nil where this process may not
// mount one. It is gone when the test ends.
func NewDisk(t testing.TB, megabytes int) *Disk {
	t.Helper()
	c, err := ready()
	if err != nil {
		t.Fatal(err)
	}
	d := &Disk{dir: filepath.Join(c.Dir(), fmt.Sprintf("disk_%d", clones.Add(1))), name: fmt.Sprintf("disk_%d", clones.Add(1))}
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	unmount, err := mountMemory(d.dir, megabytes)
	if err != nil {
		t.Logf("no disk of its own that could be filled up: %v", err)
		return nil
	}
	t.Cleanup(func() {
		if err := admin(context.Background(), c, "DROP TABLESPACE IF EXISTS "+d.name); err != nil {
			t.Error(err)
		}
		if err := unmount(); err != nil {
			t.Error(err)
		}
	})
	if err := ownedAs(filepath.Join(c.Dir(), "postgres"), d.dir); err != nil {
		t.Fatal(err)
	}
	if err := admin(t.Context(), c, fmt.Sprintf("CREATE TABLESPACE %s LOCATION '%s'", d.name, d.dir)); err != nil {
		t.Fatal(err)
	}
	return d
}

// CopyOf is CopyOf with all tables on the disk.
func (d *Disk) CopyOf(t testing.TB, address string) string {
	t.Helper()
	of, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return create(t, " TEMPLATE "+strings.TrimPrefix(of.Path, "/")+" TABLESPACE "+d.name)
}

// Fill writes until no byte more fits; empty makes room again.
func (d *Disk) Fill(t testing.TB) (empty func()) {
	t.Helper()
	path := filepath.Join(d.dir, "filled")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := 1 << 20; size >= 1<<12; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 4
		}
	}
	f.Close() // what did not fit is no trouble
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}
