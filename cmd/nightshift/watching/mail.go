package watching

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/wneessen/go-mail"

	"nightshift/jobs"
)

// Mail sends messages by SMTP.
type Mail struct {
	client   *mail.Client
	from     string
	to       []string
	answered string
}

// NewMail reads where mail goes: smtp://user:password@host:587 with STARTTLS,
// smtps://… with TLS from the start. Without TLS mail goes to this machine alone.
func NewMail(address, from string, to []string) (*Mail, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, fmt.Errorf("read NIGHTSHIFT_SMTP: write it like smtp://user:password@host:587, or smtps://… for TLS from the start")
	}
	options := []mail.Option{mail.WithTLSPolicy(mail.TLSMandatory)}
	if u.Scheme == "smtps" {
		options = []mail.Option{mail.WithSSL()}
	} else if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		options = []mail.Option{mail.WithTLSPolicy(mail.TLSOpportunistic)}
	}
	if port := u.Port(); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, fmt.Errorf("read NIGHTSHIFT_SMTP: %q is not a port", port)
		}
		options = append(options, mail.WithPort(n))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	client, err := mail.NewClient(u.Hostname(), options...)
	if err != nil {
		return nil, fmt.Errorf("read NIGHTSHIFT_SMTP: %w", err)
	}
	m := &Mail{client: client, from: from, to: to, answered: u.Hostname()}
	_, err = m.compose(jobs.Message{Subject: "a trial"})
	return m, err
}

// Name is mail, and the host that takes it.
func (m *Mail) Name() string { return "mail by " + m.answered }

// compose writes a message. Its id is that of what it tells, so that one that
// comes twice is seen to be the same.
func (m *Mail) compose(message jobs.Message) (*mail.Msg, error) {
	letter := mail.NewMsg()
	if err := letter.From(m.from); err != nil {
		return nil, fmt.Errorf("read NIGHTSHIFT_MAIL_FROM: %w", err)
	}
	if err := letter.To(m.to...); err != nil {
		return nil, fmt.Errorf("read NIGHTSHIFT_MAIL_TO: %w", err)
	}
	letter.Subject(message.Subject)
	letter.SetMessageIDWithValue(fmt.Sprintf("%x@nightshift", sha256.Sum256([]byte(message.Key))))
	letter.SetBodyString(mail.TypeTextPlain, message.Text())
	return letter, nil
}

// Send hands a message to the mail server.
func (m *Mail) Send(ctx context.Context, message jobs.Message) error {
	letter, err := m.compose(message)
	if err != nil {
		return err
	}
	return m.client.DialAndSendWithContext(ctx, letter)
}
