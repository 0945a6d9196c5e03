package main

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"

	"github.com/caarlos0/env/v11"
	"github.com/spf13/cobra"
)

// settings are all that the environment may say, one variable a field, read
// once. The column about is what `nightshift help settings` prints.
type settings struct {
	DatabaseURL secret   `env:"DATABASE_URL" about:"the Postgres to work on, postgres://…; without it the embedded one"`
	OwnerURL    secret   `env:"NIGHTSHIFT_OWNER_URL" about:"who migrates and lets go of archived history, where the login of DATABASE_URL may not"`
	Data        string   `env:"NIGHTSHIFT_DATA" about:"the embedded database's directory; by default in the user's data directory, /var/lib/nightshift for root"`
	Rules       string   `env:"NIGHTSHIFT_RULES" about:"the directory of rule files; by default those built in"`
	Site        string   `env:"NIGHTSHIFT_SITE" envDefault:"cn" about:"the site that commands work on unless --site names another"`
	Workers     int      `env:"NIGHTSHIFT_WORKERS" about:"shards carried at a time; by default as many as there are processors"`
	Helpers     int      `env:"NIGHTSHIFT_HELPERS" about:"worker slots on other machines (nightshift worker) that a run asks for help; none by default"`
	ParkLimit   int      `env:"NIGHTSHIFT_PARK_LIMIT" envDefault:"1000" about:"candidates a run may set aside before it stops"`
	Releases    string   `env:"NIGHTSHIFT_RELEASES" envDefault:"optional" about:"required: only released rules are in force, and the rule directory holds candidates; or optional"`
	Listen      string   `env:"NIGHTSHIFT_LISTEN" envDefault:"127.0.0.1:8042" about:"where serve listens; beyond this machine only with a token or a password"`
	Token       secret   `env:"NIGHTSHIFT_TOKEN" about:"the bearer token that serve asks for"`
	User        string   `env:"NIGHTSHIFT_USER" about:"who signs in to serve, together with NIGHTSHIFT_PASSWORD"`
	Password    secret   `env:"NIGHTSHIFT_PASSWORD" about:"the password of NIGHTSHIFT_USER"`
	SMTP        secret   `env:"NIGHTSHIFT_SMTP" about:"the mail server that serve sends digests and alarms by, smtp://user:password@host:587 or smtps://…"`
	MailFrom    string   `env:"NIGHTSHIFT_MAIL_FROM" about:"who they are from"`
	MailTo      []string `env:"NIGHTSHIFT_MAIL_TO" about:"who they go to, with commas between"`
	Language    string   `env:"NIGHTSHIFT_LANGUAGE" envDefault:"en" about:"the language of digests and alarms: en or zh"`
	Backups     string   `env:"NIGHTSHIFT_BACKUPS" about:"the directory in which doctor looks for the newest backup"`
	Archive     string   `env:"NIGHTSHIFT_ARCHIVE" about:"the directory that old history leaves for; without it serve archives nothing by itself"`
	Collector   secret   `env:"OTEL_EXPORTER_OTLP_ENDPOINT" about:"where traces go, by OTLP over HTTP, such as http://collector:4318; none without it; the other OTEL_ variables count as well"`
	Traces      secret   `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" about:"the same with the whole path, for traces alone"`
	NoTraces    bool     `env:"OTEL_SDK_DISABLED" about:"true: no traces, whatever else is set"`
	Chunks      string   `env:"NIGHTSHIFT_TRACE_CHUNKS" envDefault:"some" about:"all: a span for every chunk of a run; some: for the first, one in a hundred, and those that fail or take long"`
	Webhook     secret   `env:"NIGHTSHIFT_WEBHOOK" about:"where serve posts digests and alarms as JSON, https://…"`
}

// releasesRequired is the word that puts released rules alone in force.
const releasesRequired = "required"

// secret is a text that no log, message or help shows.
type secret string

// String hides the secret from every way of printing.
func (s secret) String() string {
	if s == "" {
		return ""
	}
	return "(hidden)"
}

// GoString hides it from %#v, too.
func (s secret) GoString() string { return s.String() }

// MarshalText hides it from JSON.
func (s secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// readSettings reads every variable that settings names.
func readSettings(lookup func(string) string) (settings, error) {
	var s settings
	params, err := env.GetFieldParams(&s)
	if err != nil {
		return s, err
	}
	found := map[string]string{}
	for _, p := range params {
		if value := lookup(p.Key); value != "" {
			found[p.Key] = value
		}
	}
	if err := env.ParseWithOptions(&s, env.Options{Environment: found}); err != nil {
		return s, misuse("read the settings: %s: see `nightshift help settings`", strings.TrimPrefix(err.Error(), "env: "))
	}
	if s.Workers == 0 {
		s.Workers = runtime.NumCPU()
	}
	switch {
	case s.Workers < 1:
		return s, misuse("read the settings: NIGHTSHIFT_WORKERS is %d: there is at least one", s.Workers)
	case s.Helpers < 0:
		return s, misuse("read the settings: NIGHTSHIFT_HELPERS is %d: there are none, or some", s.Helpers)
	case s.ParkLimit < 1:
		return s, misuse("read the settings: NIGHTSHIFT_PARK_LIMIT is %d: there is at least one", s.ParkLimit)
	case s.Language != "en" && s.Language != "zh":
		return s, misuse("read the settings: NIGHTSHIFT_LANGUAGE is %q: it is en or zh", s.Language)
	case s.Releases != "optional" && s.Releases != releasesRequired:
		return s, misuse("read the settings: NIGHTSHIFT_RELEASES is %q: it is optional or %s", s.Releases, releasesRequired)
	case s.SMTP != "" && (s.MailFrom == "" || len(s.MailTo) == 0):
		return s, misuse("read the settings: NIGHTSHIFT_SMTP needs NIGHTSHIFT_MAIL_FROM and NIGHTSHIFT_MAIL_TO beside it")
	case s.Chunks != "some" && s.Chunks != "all":
		return s, misuse("read the settings: NIGHTSHIFT_TRACE_CHUNKS is %q: it is some or all", s.Chunks)
	case (s.User == "") != (s.Password == ""):
		return s, misuse("read the settings: NIGHTSHIFT_USER and NIGHTSHIFT_PASSWORD go together: set both or neither")
	}
	return s, nil
}

// settingsHelp is a help topic: what the environment may say.
func (p *program) settingsHelp() *cobra.Command {
	var b strings.Builder
	b.WriteString("Settings come from environment variables, read once:\n\n")
	g := &grid{}
	fields := reflect.TypeFor[settings]()
	for i := range fields.NumField() {
		f := fields.Field(i)
		about := f.Tag.Get("about")
		if otherwise := f.Tag.Get("envDefault"); otherwise != "" {
			about += fmt.Sprintf(" (default %s)", otherwise)
		}
		g.row("  "+f.Tag.Get("env"), about)
	}
	b.WriteString(g.String())
	return &cobra.Command{Use: "settings", Short: "The environment variables that nightshift reads", Long: b.String()}
}
