package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"nightshift/jobs/signing"
	"nightshift/rules/market"
)

const callHelp = `Call signs and verifies calls to the interfaces of sellers, as the marketplace does,
so that whoever writes such an interface can hold it against another one.

A URL with timeStamp is of version 1: its authToken signs the parameters, which are
decoded and sorted by name. Any other is of version 2: its signature signs the body,
with nonce and timestamp. The key is read from a file, and never printed.`

// call is the command call.
func (p *program) call() *cobra.Command {
	cmd := group("call", "Sign and verify calls to sellers' interfaces", callHelp, `
  nightshift call sign 'https://isv.example/produce?activity=expireInstance&instanceId=inst-1&timeStamp=20240601020304005' --key-file key
  nightshift call sign https://isv.example/produce --body call.json --key-file key
  nightshift call verify 'https://isv.example/produce?signature=B59F…&timestamp=1666677988730&nonce=RLLU' --body call.json --key-file key
  nightshift call answer --body answer.json --key-file key`)
	cmd.AddCommand(p.callSign(), p.callVerify(), p.callAnswer())
	return cmd
}

// signedCall is a call on the command line.
type signedCall struct {
	keyFile, bodyFile, at string
	seconds               bool

	url        *url.URL
	parameters url.Values
	key        string
	body       []byte
}

func (p *program) callSign() *cobra.Command {
	var s signedCall
	cmd := &cobra.Command{
		Use: "sign URL --key-file FILE [--body FILE]", Short: "Sign a call, and print it with its signature",
		Long: `Sign prints a call's URL with its signature, and what was signed. A timestamp or a
nonce that is missing is made now; the key stands as <key> in what was signed.`,
		Args: takes(1, 1, "one URL with the parameters of the call"),
		Example: `  nightshift call sign 'https://isv.example/produce?activity=expireInstance&instanceId=inst-1&timeStamp=20240601020304005' --key-file key
  nightshift call sign https://isv.example/produce --body call.json --key-file key
  echo -n "$KEY" | nightshift call sign https://isv.example/produce --body call.json --key-file -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.read(cmd.InOrStdin(), args[0]); err != nil {
				return err
			}
			return p.signCall(&s)
		},
	}
	s.options(cmd)
	return cmd
}

func (p *program) callVerify() *cobra.Command {
	var s signedCall
	cmd := &cobra.Command{
		Use: "verify URL --key-file FILE [--body FILE] [--at INSTANT]", Short: "Say whether the signature of a call holds, and if not why",
		Long: `Verify says whether the signature of a call holds: 000000, or 000001 and why not. One
of version 2 holds for 60 seconds before and after its timestamp, both included.

Exit codes: 0 it holds; 1 it does not; 2 wrongly asked.`,
		Args: takes(1, 1, "one URL with the parameters of the call"),
		Example: `  nightshift call verify 'https://isv.example/produce?signature=B59F…&timestamp=1666677988730&nonce=RLLU' --body call.json --key-file key
  nightshift call verify 'https://isv.example/produce?…' --body call.json --key-file key --at 2022-10-25T14:06:28+08:00`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.read(cmd.InOrStdin(), args[0]); err != nil {
				return err
			}
			return p.verifyCall(&s)
		},
	}
	s.options(cmd)
	cmd.Flags().StringVar(&s.at, "at", "", "when the call came (default now)")
	return cmd
}

func (p *program) callAnswer() *cobra.Command {
	var s signedCall
	cmd := &cobra.Command{
		Use: "answer --key-file FILE --body FILE", Short: "Sign the answer to a call: its header Body-Sign",
		Long:    "Answer prints the header by which a seller's interface signs what it answers.",
		Args:    takes(0, 0, "no words, only options"),
		Example: `  nightshift call answer --body answer.json --key-file key`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.read(cmd.InOrStdin(), ""); err != nil {
				return err
			}
			if p.json {
				return p.printJSON(map[string]string{"Body-Sign": signing.Answer(s.key, s.body)})
			}
			p.printf("Body-Sign: %s\n", signing.Answer(s.key, s.body))
			return nil
		},
	}
	s.options(cmd)
	return cmd
}

func (s *signedCall) options(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.keyFile, "key-file", "", "the file with the access key; - for the standard input")
	cmd.Flags().StringVar(&s.bodyFile, "body", "", "the file with the body, byte by byte; empty: none")
	cmd.Flags().BoolVar(&s.seconds, "seconds", false, "of version 2: the timestamp is in seconds, instead of milliseconds")
}

// read reads the call, its key and its body.
func (s *signedCall) read(in io.Reader, address string) (err error) {
	if s.keyFile == "" {
		return misuse("required flag --key-file: a file with the access key and nothing else")
	}
	if s.url, err = url.Parse(address); err == nil {
		s.parameters, err = url.ParseQuery(s.url.RawQuery)
	}
	if err != nil {
		return misuse("the URL cannot be read: put it between quotes, its values encoded: %v", errors.Unwrap(err))
	}
	file := os.ReadFile
	if s.keyFile == "-" {
		file = func(string) ([]byte, error) { return io.ReadAll(in) }
	}
	key, err := file(s.keyFile)
	if err != nil {
		return fmt.Errorf("read the key: %w", err)
	}
	if s.key = string(bytes.TrimSpace(key)); s.key == "" {
		return misuse("--key-file %s: there is no key in it", s.keyFile)
	}
	if s.bodyFile != "" {
		if s.body, err = os.ReadFile(s.bodyFile); err != nil {
			return fmt.Errorf("read the body: %w", err)
		}
	}
	return nil
}

// first tells whether the call is of version 1.
func (s *signedCall) first() bool {
	return s.parameters.Has(signing.TimeStamp) || s.parameters.Has(signing.AuthToken)
}

func (s *signedCall) unit() signing.Unit {
	if s.seconds {
		return signing.Seconds
	}
	return signing.Milliseconds
}

func (p *program) signCall(s *signedCall) error {
	name, what := signing.Signature, ""
	if s.first() {
		if name = signing.AuthToken; s.parameters.Get(signing.TimeStamp) == "" {
			s.parameters.Set(signing.TimeStamp, market.CallTime(p.now()))
		}
		what = signing.SignedV1(s.parameters)
		s.parameters.Set(name, signing.V1(s.key, s.parameters))
	} else {
		if s.parameters.Get(signing.Timestamp) == "" {
			s.parameters.Set(signing.Timestamp, s.unit().Write(p.now()))
		}
		if s.parameters.Get(signing.Nonce) == "" {
			s.parameters.Set(signing.Nonce, rand.Text())
		}
		nonce, stamp := s.parameters.Get(signing.Nonce), s.parameters.Get(signing.Timestamp)
		what = "<key>" + nonce + stamp + signing.Digest(s.key, s.body)
		s.parameters.Set(name, signing.V2(s.key, nonce, stamp, s.body))
	}
	s.url.RawQuery = s.parameters.Encode()
	if p.json {
		return p.printJSON(map[string]string{"url": s.url.String(), "signed": what, name: s.parameters.Get(name)})
	}
	p.printf("%s\nsigned  %s\n%s  %s\n", s.url, what, name, s.parameters.Get(name))
	return nil
}

func (p *program) verifyCall(s *signedCall) error {
	now := p.now()
	if s.at != "" {
		site, err := p.siteRules()
		if err != nil {
			return err
		}
		if now, err = instant("at", s.at, site.Zone); err != nil {
			return err
		}
	}
	var err error
	if s.first() {
		err = signing.VerifyV1(s.key, s.parameters)
	} else {
		err = signing.VerifyV2(s.key, s.parameters, s.body, now, s.unit())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", signing.CodeAuth, err)
	}
	if p.json {
		return p.printJSON(map[string]any{"code": market.AnswerDone, "holds": true})
	}
	p.printf("%s: the signature holds\n", market.AnswerDone)
	return nil
}
