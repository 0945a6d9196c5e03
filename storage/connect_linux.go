package storage

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// limitUnconfirmed has the kernel give up on data that the server does not
// confirm: a keepalive is not sent while data is under way.
func limitUnconfirmed(network, _ string, raw syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var set error
	if err := raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(peerSilence.Milliseconds()))
	}); err != nil {
		return err
	}
	return set
}
