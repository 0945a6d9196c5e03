package storagetest

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// Proxy stands between a store and its database, and dies at a chosen message:
// what the death of the process, or of the line, looks like to the server. It
// hears the messages that clients send, over all connections: start-up,
// queries, parts of a COPY, commits.
type Proxy struct {
	listener net.Listener
	server   string // the path of the server's socket
	url      string

	mu     sync.Mutex
	lines  map[*line]struct{}
	ended  *sync.Cond // a line is gone
	heard  []string
	cut    func(heard []string) bool // at the last of them; nil: never
	before bool
	dead   bool

	failWith   func(n int, kind string) string
	statements int
}

// line is one connection through the proxy.
type line struct {
	client net.Conn
	server *net.UnixConn
	spoken spoken
}

// NewProxy stands before the database of the address, one that URL gave.
func NewProxy(t testing.TB, address string) *Proxy {
	t.Helper()
	return NewProxyAt(t, address, "127.0.0.1")
}

// NewProxyAt is a proxy that listens on another host's address of this machine, such
// as one that other network namespaces reach.
func NewProxyAt(t testing.TB, address, host string) *Proxy {
	t.Helper()
	direct, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	q := direct.Query()
	p := &Proxy{
		listener: listener, lines: map[*line]struct{}{},
		server: filepath.Join(q.Get("host"), ".s.PGSQL."+q.Get("port")),
		url:    fmt.Sprintf("postgres://%s@%s%s?sslmode=disable", q.Get("user"), listener.Addr(), direct.Path),
	}
	p.ended = sync.NewCond(&p.mu)
	go p.accept()
	t.Cleanup(func() { listener.Close(); p.die() })
	return p
}

// URL is the database's address by way of the proxy.
func (p *Proxy) URL() string { return p.url }

// CutBefore lets all connections die instead of forwarding message n, counted
// from now: the server never learns of it.
func (p *Proxy) CutBefore(n int) { p.arm(nth(n), true) }

// CutAfter lets all connections die once the server has message n: what it
// does about it, such as a commit, the client never learns.
func (p *Proxy) CutAfter(n int) { p.arm(nth(n), false) }

// CutAfterCommit is CutAfter at the first commit that comes.
func (p *Proxy) CutAfterCommit() {
	p.arm(func(heard []string) bool { return heard[len(heard)-1] == commit }, false)
}

func nth(n int) func([]string) bool {
	return func(heard []string) bool { return len(heard) == n }
}

func (p *Proxy) arm(cut func([]string) bool, before bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard, p.cut, p.before = nil, cut, before
}

// Heard is the messages that came since the proxy was last told to cut, in
// words; where the connections died, the last is the one at which they did.
func (p *Proxy) Heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.heard)
}

// WasCut tells whether the connections died.
func (p *Proxy) WasCut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// Heal lets connections through again and cuts no more. It returns when the
// server has finished with the connections that died.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.dead && len(p.lines) > 0 {
		p.ended.Wait()
	}
	p.dead, p.cut = false, nil
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: p.server, Net: "unix"})
		if err != nil {
			client.Close()
			continue
		}
		l := &line{client: client, server: server, spoken: spoken{texts: map[string]string{}, portals: map[string]string{}}}
		p.mu.Lock()
		p.lines[l] = struct{}{}
		dead := p.dead
		p.mu.Unlock()
		if dead {
			l.hangUp()
		}
		go p.carryReplies(l)
		go p.carryMessages(l)
	}
}

// carryReplies ends when the server has finished with the connection.
func (p *Proxy) carryReplies(l *line) {
	io.Copy(l.client, l.server)
	io.Copy(io.Discard, l.server) // whatever the client will not hear
	l.client.Close()
	l.server.Close()
	p.mu.Lock()
	delete(p.lines, l)
	p.ended.Broadcast()
	p.mu.Unlock()
}

func (p *Proxy) carryMessages(l *line) {
	defer l.hangUp()
	for typed := false; ; {
		message, err := readMessage(l.client, typed)
		if err != nil {
			return
		}
		word := startUp
		if typed {
			word, message = l.spoken.word(message), p.refused(l, message)
		}
		if !p.forward(l, message, word) {
			return
		}
		typed = typed || !isNegotiation(message)
	}
}

// forward answers false when the line is dead.
func (p *Proxy) forward(l *line, message []byte, word string) bool {
	p.mu.Lock()
	if p.dead {
		p.mu.Unlock()
		return false
	}
	p.heard = append(p.heard, word)
	cut, before := p.cut != nil && p.cut(p.heard), p.before
	p.dead = cut // before the client can notice
	p.mu.Unlock()
	if cut && before {
		p.die()
		return false
	}
	if cut {
		l.client.Close() // first, so that no reply slips through
	}
	_, err := l.server.Write(message)
	if cut {
		p.die()
		return false
	}
	return err == nil
}

func (p *Proxy) die() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	for l := range p.lines {
		l.hangUp()
	}
}

// hangUp lets the server read what was sent before, and then the end.
func (l *line) hangUp() {
	l.client.Close()
	l.server.CloseWrite()
}

// longestMessage is far above what a client sends in one message.
const longestMessage = 64 << 20

// readMessage reads one message of a client: a type, except in the first ones,
// and a length that counts itself.
func readMessage(r io.Reader, typed bool) ([]byte, error) {
	head := make([]byte, 4, 5)
	if typed {
		head = head[:5]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(head[len(head)-4:])) - 4
	if n < 0 || n > longestMessage {
		return nil, fmt.Errorf("a message of %d bytes", n)
	}
	message := append(head, make([]byte, n)...)
	_, err := io.ReadFull(r, message[len(head):])
	return message, err
}

// isNegotiation tells a request for encryption, after which the real start-up
// message is still to come.
func isNegotiation(message []byte) bool {
	const ssl, gss = 80877103, 80877104
	if len(message) != 8 {
		return false
	}
	code := binary.BigEndian.Uint32(message[4:])
	return code == ssl || code == gss
}

// Kill lets all connections die now, and returns when the server has finished
// with them. Heal brings the proxy back.
func (p *Proxy) Kill() {
	p.die()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.lines) > 0 {
		p.ended.Wait()
	}
}
