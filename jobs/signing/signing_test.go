package signing

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The token was computed apart from this code, by
// printf %s 'activity=…' | openssl dgst -sha256 -hmac secret20240601020304005 -binary | base64.
func TestATokenOfTheFirstVersion(t *testing.T) {
	call := url.Values{"timeStamp": {"20240601020304005"}, "testFlag": {"1"}, "instanceId": {"inst-1"}, "activity": {"expireInstance"}}
	if got := SignedV1(call); got != "activity=expireInstance&instanceId=inst-1&testFlag=1&timeStamp=20240601020304005" {
		t.Errorf("signed is %s", got)
	}
	const want = "7e4TDjXUGqeseMxCch3YezRhwZrLj9wlfLbf7ew37+w="
	if got := V1("secret", call); got != want {
		t.Errorf("the token is %s, not %s", got, want)
	}
	call.Set(AuthToken, want)
	if err := VerifyV1("secret", call); err != nil {
		t.Error(err)
	}
	call.Set("testFlag", "0")
	if err := VerifyV1("secret", call); !errors.Is(err, ErrNot) {
		t.Errorf("another parameter: %v", err)
	}
}

// The signature was computed apart from this code, by two openssl dgst.
func TestASignatureOfTheSecondVersionHoldsForAMinute(t *testing.T) {
	body := []byte(`{"activity":"newInstance","testFlag":"1"}`)
	signed := time.UnixMilli(1666677988730)
	call := func(unit Unit) url.Values {
		stamp := unit.Write(signed)
		return url.Values{Timestamp: {stamp}, Nonce: {"RLLUammMSInlrNWb"}, Signature: {V2("secret", "RLLUammMSInlrNWb", stamp, body)}}
	}
	const want = "B59F36404FA608D8430EBAEDF54710F80795F6990B8A69871A12516BC5E16D26"
	if got := call(Milliseconds).Get(Signature); got != want {
		t.Errorf("the signature is %s, not %s", got, want)
	}
	for _, unit := range []Unit{Milliseconds, Seconds} {
		at := signed.Truncate(time.Duration(unit))
		for _, tt := range []struct {
			off   time.Duration
			holds bool
		}{{0, true}, {time.Minute, true}, {-time.Minute, true}, {time.Minute + time.Millisecond, false}, {61 * time.Second, false}, {-61 * time.Second, false}} {
			err := VerifyV2("secret", call(unit), body, at.Add(tt.off), unit)
			if (err == nil) != tt.holds || err != nil && !errors.Is(err, ErrNot) {
				t.Errorf("%s off in %s: %v", tt.off, unit, err)
			}
		}
	}
	lower := call(Milliseconds)
	lower.Set(Signature, strings.ToLower(lower.Get(Signature)))
	if err := VerifyV2("secret", lower, body, signed, Milliseconds); err != nil {
		t.Errorf("in lower case: %v", err)
	}
	if err := VerifyV2("secret", call(Milliseconds), body, signed, Seconds); !errors.Is(err, ErrNot) || !strings.Contains(err.Error(), "no number of seconds") {
		t.Errorf("milliseconds taken for seconds: %v", err)
	}
}

// The signature was computed apart from this code, by openssl dgst.
func TestAnAnswerIsSignedInItsHeader(t *testing.T) {
	const want = `sign_type="HMAC-SHA256", signature= "Z/UmgZPdY+MG5QpLpnPiZNtAw3walvoHIssjgBqh/jU="`
	if got := Answer("secret", []byte(`{"resultCode":"000000"}`)); got != want {
		t.Errorf("the header is %s, not %s", got, want)
	}
}

// Whatever is changed of a call, its signature does not hold, and no text names the
// key.
func TestNothingElseHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key, nonce := rapid.StringN(16, 40, -1).Draw(t, "key"), rapid.StringMatching(`[a-z]{8}`).Draw(t, "nonce")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		now := time.UnixMilli(1666677988730)
		call := url.Values{Timestamp: {Milliseconds.Write(now)}, Nonce: {nonce}}
		call.Set(Signature, V2(key, nonce, call.Get(Timestamp), body))
		if err := VerifyV2(key, call, body, now, Milliseconds); err != nil {
			t.Fatal(err)
		}
		switch rapid.IntRange(0, 3).Draw(t, "what") {
		case 0:
			body = append(body, '!')
		case 1:
			call.Set(Nonce, nonce+"!")
		case 2:
			call.Set(Timestamp, Milliseconds.Write(now.Add(time.Millisecond)))
		case 3:
			call.Set(Signature, call.Get(Signature)[:62])
		}
		if err := VerifyV2(key, call, body, now, Milliseconds); !errors.Is(err, ErrNot) || strings.Contains(err.Error(), key) {
			t.Fatal(err)
		}
	})
}
