package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"

	"nightshift/storage"
)

// shown is a page: what it could not do is its error.
type shown func(c Config, w http.ResponseWriter, r *http.Request) error

// errNoPage is an address behind which nothing is.
var errNoPage = errors.New("there is no such page")

// page is a page for those who signed in.
func (c Config) page(show shown) http.Handler {
	inside := c.open(show)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !c.admits(r) {
			w.Header().Set("WWW-Authenticate", c.challenge())
			http.Error(w, "sign in first", http.StatusUnauthorized)
			return
		}
		inside.ServeHTTP(w, r)
	})
}

// open is a page for everybody. It is the one place where an error becomes a
// status.
func (c Config) open(show shown) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &answer{ResponseWriter: w}
		err := show(c, answer, r)
		if err == nil || r.Context().Err() != nil {
			return
		}
		status := http.StatusInternalServerError
		switch {
		case errors.Is(err, storage.ErrNoRun), errors.Is(err, storage.ErrNoOrder), errors.Is(err, storage.ErrNoDocument), errors.Is(err, errNoPage):
			status = http.StatusNotFound
		case storage.Transient(err):
			status = http.StatusServiceUnavailable
		}
		if status != http.StatusNotFound {
			c.Log.Error("show a page", "path", r.URL.Path, "error", err)
		}
		if answer.begun {
			// Half of a document is on its way: cutting the line is the only way left
			// to say that it is not whole.
			panic(http.ErrAbortHandler)
		}
		for _, header := range []string{"Content-Disposition", "Content-Length", "ETag"} {
			w.Header().Del(header)
		}
		http.Error(w, http.StatusText(status), status)
	})
}

// answer remembers whether anything was sent.
type answer struct {
	http.ResponseWriter
	begun bool
}

func (a *answer) Write(b []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(b)
}

// admits tells whether a request may see the pages. Secrets are compared by
// their hashes, in constant time.
func (c Config) admits(r *http.Request) bool {
	if c.Token == "" && c.User == "" {
		return true
	}
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	byToken := bearer && c.Token != "" && equal(given, c.Token)
	user, password, basic := r.BasicAuth()
	byName := basic && c.User != "" && equal(user, c.User) && equal(password, c.Password)
	return byToken || byName
}

func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

func (c Config) challenge() string {
	if c.User != "" {
		return `Basic realm="nightshift", charset="UTF-8"`
	}
	return `Bearer realm="nightshift"`
}

// secured keeps pages out of frames and caches, and scripts out of pages.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
