package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who the server runs as. Postgres refuses root; for everybody
// else it is the user who asks.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount is the user itself or, for root, whoever owns the data
// already, else postgres, else nobody.
func serverAccount(data string) (account, error) {
	uid := os.Geteuid()
	if uid != 0 {
		return account{name: "you", uid: uint32(uid), gid: uint32(os.Getegid())}, nil
	}
	if info, err := os.Stat(data); err == nil {
		if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != 0 {
			return account{name: nameOf(owner.Uid), uid: owner.Uid, gid: owner.Gid}, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return accountOf(u)
		}
	}
	return account{}, errors.New("choose whom the database server runs as: PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody: add one, or run as another user")
}

func nameOf(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

func accountOf(u *user.User) (account, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("read the id of user %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("read the group of user %s: %w", u.Username, err)
	}
	return account{name: u.Username, uid: uint32(uid), gid: uint32(gid)}, nil
}

func (a account) self() bool { return int(a.uid) == os.Geteuid() }

// credential is nil where the server runs as the user who asks.
func (a account) credential() *syscall.Credential {
	if a.self() {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// own hands a file over to the account.
func (a account) own(path string) error {
	if a.self() {
		return nil
	}
	if err := os.Chown(path, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("hand %s over to user %s: %w", path, a.name, err)
	}
	return nil
}

func (a account) owns(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == a.uid
}

// canEnter asks for every directory on the way, because the server would only
// say that its data is not there.
func (a account) canEnter(dir string) error {
	if a.self() {
		return nil
	}
	for d := dir; ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err != nil {
			return fmt.Errorf("look at the data directory: %w", err)
		}
		if !a.mayEnter(info) {
			return fmt.Errorf("use the data directory %s: the database server runs as user %s, who may not enter %s: set NIGHTSHIFT_DATA to another directory, such as /var/lib/nightshift", dir, a.name, d)
		}
		if d == filepath.Dir(d) {
			return nil
		}
	}
}

func (a account) mayEnter(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return true
	case stat.Uid == a.uid:
		return info.Mode()&0o100 != 0
	case stat.Gid == a.gid:
		return info.Mode()&0o010 != 0
	}
	return info.Mode()&0o001 != 0
}
