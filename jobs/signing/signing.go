// Package signing signs calls to the interfaces of sellers, and verifies such
// signatures, in both published versions:
//
//	V1  authToken = base64(HMAC-SHA256(key + timeStamp, the other parameters, sorted: a=1&b=2))
//	    support.huaweicloud.com/intl/en-us/accessg-marketplace/en-us_topic_0070649066.html
//	V2  signature = hex(HMAC-SHA256(key, key + nonce + timestamp + lower(hex(HMAC-SHA256(key, body)))))
//	    support.huaweicloud.com/accessg-marketplace/zh-cn_topic_0070649248.html
//
// and the bodies of answers, which both want signed in a header.
//
// Owns: what is signed, and when a time stamp is too old.
// Does not own: keys, sending, the bodies of calls (rules/market).
// Always: signatures are compared in the same time whatever they are, and no error
// and no text that it makes holds the key.
package signing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CodeAuth is the published answer to a call whose signature does not hold.
const CodeAuth = "000001"

// Within is how far the time stamp of a call may be from now, both ends included.
const Within = 60 * time.Second

// ErrNot says that a signature does not hold, or no longer.
var ErrNot = errors.New("the signature does not hold")

// Unit is what a time stamp counts. Published pages say seconds or milliseconds;
// their samples are milliseconds.
type Unit time.Duration

// The units of time stamps.
const (
	Milliseconds = Unit(time.Millisecond)
	Seconds      = Unit(time.Second)
)

// Names of parameters.
const (
	AuthToken = "authToken" // V1
	TimeStamp = "timeStamp"
	Signature = "signature" // V2
	Timestamp = "timestamp"
	Nonce     = "nonce"
)

// SignedV1 is the text that V1 signs: all parameters but authToken, sorted by
// name, their values as they are once decoded.
func SignedV1(parameters url.Values) string {
	var names []string
	for name := range parameters {
		if name != AuthToken {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var parts []string
	for _, name := range names {
		for _, value := range parameters[name] {
			parts = append(parts, name+"="+value)
		}
	}
	return strings.Join(parts, "&")
}

// V1 is the authToken of parameters.
func V1(key string, parameters url.Values) string {
	return base64.StdEncoding.EncodeToString(sum(key+parameters.Get(TimeStamp), SignedV1(parameters)))
}

// VerifyV1 is ErrNot where the authToken of parameters is not theirs.
func VerifyV1(key string, parameters url.Values) error {
	if parameters.Get(TimeStamp) == "" {
		return fmt.Errorf("%w: the parameter %s is missing", ErrNot, TimeStamp)
	}
	given, err := base64.StdEncoding.DecodeString(parameters.Get(AuthToken))
	if err != nil {
		return fmt.Errorf("%w: %s is not base64", ErrNot, AuthToken)
	}
	if !hmac.Equal(given, sum(key+parameters.Get(TimeStamp), SignedV1(parameters))) {
		return fmt.Errorf("%w: %s is that of another key or of other parameters", ErrNot, AuthToken)
	}
	return nil
}

// Digest is the part of what V2 signs that stands for the body: lower case hex.
func Digest(key string, body []byte) string { return hex.EncodeToString(sum(key, string(body))) }

// V2 is the signature of a body, in upper case hex as the published samples are.
func V2(key, nonce, timestamp string, body []byte) string {
	return strings.ToUpper(hex.EncodeToString(sum(key, key+nonce+timestamp+Digest(key, body))))
}

// VerifyV2 is ErrNot where the signature among the parameters of a call is not
// that of its body, or where it is too far from now. Case does not matter.
func VerifyV2(key string, parameters url.Values, body []byte, now time.Time, unit Unit) error {
	for _, name := range []string{Timestamp, Nonce} {
		if parameters.Get(name) == "" {
			return fmt.Errorf("%w: the parameter %s is missing", ErrNot, name)
		}
	}
	stamp := parameters.Get(Timestamp)
	given, err := hex.DecodeString(parameters.Get(Signature))
	if err != nil {
		return fmt.Errorf("%w: %s is not hex", ErrNot, Signature)
	}
	if !hmac.Equal(given, sum(key, key+parameters.Get(Nonce)+stamp+Digest(key, body))) {
		return fmt.Errorf("%w: %s is that of another key, nonce, timestamp or body", ErrNot, Signature)
	}
	at, err := unit.read(stamp)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNot, err)
	}
	if off := now.Sub(at).Abs(); off > Within {
		return fmt.Errorf("%w any more: its timestamp is %s from now, and may be %s", ErrNot, off, Within)
	}
	return nil
}

// Answer is the header Body-Sign of an answer with a body: base64(HMAC-SHA256(key, body)).
func Answer(key string, body []byte) string {
	return `sign_type="HMAC-SHA256", signature= "` + base64.StdEncoding.EncodeToString(sum(key, string(body))) + `"`
}

// Write writes an instant as a time stamp.
func (u Unit) Write(t time.Time) string {
	return strconv.FormatInt(t.UnixNano()/int64(u), 10)
}

// mostStamp is a time stamp of about the year 2286, in seconds.
const mostStamp = 10_000_000_000

func (u Unit) read(stamp string) (time.Time, error) {
	n, err := strconv.ParseInt(stamp, 10, 64)
	if most := mostStamp * (int64(time.Second) / int64(u)); err != nil || n < 0 || n >= most {
		return time.Time{}, fmt.Errorf("the timestamp %.30q is no number of %s since 1970", stamp, u)
	}
	perSecond := int64(time.Second) / int64(u)
	return time.Unix(n/perSecond, n%perSecond*int64(u)), nil
}

func (u Unit) String() string {
	if u == Seconds {
		return "seconds"
	}
	return "milliseconds"
}

func sum(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}
