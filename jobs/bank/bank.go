// Package bank speaks with the bank: it writes the file that orders payments,
// and reads the statement in which the bank says what became of them.
//
// Owns: what a payment needs before a bank takes it; the payment file as ISO
// 20022 pain.001.001.09 and as CSV; account statements as camt.053 and as CSV;
// the match of what was ordered with what the bank did.
// Does not own: who is paid and how much (package jobs), or what a match books.
// Always: the same order gives the same bytes; a file that is not whole or does
// not add up is refused as a whole; nothing outside the file is ever read.
package bank

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"nightshift/rules/market"
)

// ErrBadOrder marks a payment that no bank would take.
var ErrBadOrder = errors.New("cannot be ordered from a bank")

// Account is where money is paid from or to. It has an IBAN, or a number of
// another kind, never both.
type Account struct {
	Holder  string
	IBAN    string // ISO 13616, without blanks
	Number  string // of an account that has no IBAN
	BIC     string // ISO 9362 of the bank that keeps it
	Branch  string // the bank's number in its country's clearing, such as a CNAPS code
	Country string // ISO 3166, two letters; of the holder
}

// Transfer is one payment to one seller.
type Transfer struct {
	Reference  string // goes with the money from end to end and comes back in the bank's statement
	Seller     string // the marketplace's code, for people
	Amount     market.Money
	To         Account
	Remittance string // what the receiver reads
}

// Order is all that one payment file says. Its transfers are of one currency.
type Order struct {
	ID        string    // of the message, unique for ever
	Initiator string    // who orders
	CreatedAt time.Time // the instant that the file is dated with
	ExecuteOn market.Date
	From      Account
	Transfers []Transfer
}

// Limits of ISO 20022: characters of a text, digits of an amount.
const (
	maxID         = 35  // Max35Text
	maxNumber     = 34  // Max34Text, and the longest IBAN
	maxName       = 140 // Max140Text
	maxRemittance = 140 // one unstructured line
	maxDigits     = 18  // of an amount, of which
	maxPlaces     = 5   // behind the point
)

// The characters that every bank takes: the basic Latin set of the SWIFT
// network. References must have no others; texts are written in them where an
// order says so.
var (
	basic = regexp.MustCompile(`^[A-Za-z0-9/?:().,'+ -]*$`)
	iban  = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$`)
	bic   = regexp.MustCompile(`^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$`)
	land  = regexp.MustCompile(`^[A-Z]{2}$`)
)

// Check answers ErrBadOrder with everything that is wrong, transfer by transfer.
func (o Order) Check() error {
	var wrong []error
	say := func(where string, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", where, err))
		}
	}
	say("the order's id", checkReference(o.ID))
	say("who orders", checkText(o.Initiator, maxName))
	say("the account to pay from", o.From.Check())
	if o.CreatedAt.IsZero() {
		say("the order", errors.New("it has no instant"))
	}
	if len(o.Transfers) == 0 {
		say("the order", errors.New("there is nothing to pay"))
	}
	seen := map[string]bool{}
	for _, t := range o.Transfers {
		where := fmt.Sprintf("pay %s to %s", t.Amount, t.Seller)
		say(where, t.check(o.Transfers[0].Amount.Currency))
		if seen[t.Reference] {
			say(where, fmt.Errorf("the reference %s was used above", t.Reference))
		}
		seen[t.Reference] = true
	}
	if wrong == nil {
		return nil
	}
	return fmt.Errorf("payment order %s: %w: %w", o.ID, ErrBadOrder, errors.Join(wrong...))
}

func (t Transfer) check(c market.Currency) error {
	if t.Amount.Currency != c {
		return fmt.Errorf("the currency is not %s, which the others have: order each currency by itself", c)
	}
	return t.Check()
}

// Check tells what is wrong with one payment.
func (t Transfer) Check() error {
	c := t.Amount.Currency
	switch amount := t.Amount.Amount; {
	case amount.Sign() <= 0:
		return errors.New("the amount is not above zero")
	case places(amount) > min(c.Places(), maxPlaces):
		return fmt.Errorf("%s has %d decimals at most", c, min(c.Places(), maxPlaces))
	case amount.Digits() > maxDigits:
		return fmt.Errorf("the amount has more than %d digits", maxDigits)
	}
	return errors.Join(checkReference(t.Reference), t.To.Check(), checkText(t.Remittance, maxRemittance))
}

// places is how many decimals d has.
func places(d market.Decimal) int32 {
	_, fraction, _ := strings.Cut(d.String(), ".")
	return int32(len(strings.TrimRight(fraction, "0")))
}

// Check tells what is missing or wrong in the account.
func (a Account) Check() error {
	switch {
	case a.Holder == "":
		return errors.New("the account has no holder")
	case a.IBAN == "" && a.Number == "":
		return fmt.Errorf("the account of %s has neither an IBAN nor a number", a.Holder)
	case a.IBAN != "" && a.Number != "":
		return fmt.Errorf("the account of %s has an IBAN and a number: which is it?", a.Holder)
	case a.IBAN != "" && !validIBAN(a.IBAN):
		return fmt.Errorf("%s is no IBAN: its check digits or its length are wrong", a.IBAN)
	case len(a.Number) > maxNumber || !basic.MatchString(a.Number):
		return fmt.Errorf("the account number %q is longer than %d characters or has others than letters, digits and / - ? : ( ) . , ' +", a.Number, maxNumber)
	case a.BIC != "" && !bic.MatchString(a.BIC):
		return fmt.Errorf("%s is no BIC", a.BIC)
	case len(a.Branch) > maxID || !basic.MatchString(a.Branch):
		return fmt.Errorf("the bank number %q is longer than %d characters, or not of plain letters and digits", a.Branch, maxID)
	case a.Country != "" && !land.MatchString(a.Country):
		return fmt.Errorf("%s is no country: write two capitals, such as CN", a.Country)
	}
	return checkText(a.Holder, maxName)
}

// validIBAN checks the form and the check digits (ISO 7064, modulo 97).
func validIBAN(text string) bool {
	if !iban.MatchString(text) {
		return false
	}
	rest := 0
	for _, c := range []byte(text[4:] + text[:4]) {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	return rest == 1
}

// checkReference keeps references to what comes back from a bank as it went.
func checkReference(id string) error {
	switch {
	case id == "" || len(id) > maxID:
		return fmt.Errorf("the reference %q does not have 1 to %d characters", id, maxID)
	case !basic.MatchString(id), id != strings.TrimSpace(id):
		return fmt.Errorf("the reference %q has characters that banks change: use letters, digits and / - ? : ( ) . , ' +", id)
	case strings.HasPrefix(id, "/") || strings.HasSuffix(id, "/") || strings.Contains(id, "//"):
		return fmt.Errorf("the reference %q begins or ends with a slash, or has two of them", id)
	}
	return nil
}

// checkText keeps texts to what XML can carry.
func checkText(text string, most int) error {
	if n := utf8.RuneCountInString(text); n > most {
		return fmt.Errorf("the text %q… has %d characters, at most %d are read", string([]rune(text)[:20]), n, most)
	}
	for _, r := range text {
		if r < ' ' || r == utf8.RuneError || r == 0xFFFE || r == 0xFFFF {
			return fmt.Errorf("the text %q has a character that no file carries", text)
		}
	}
	return nil
}

// Latin is a text in the basic Latin characters: accents are dropped, and a
// character that has no counterpart there is an error. Banks outside China take
// no others.
func Latin(text string) (string, error) {
	var b strings.Builder
	for _, r := range norm.NFKD.String(text) {
		switch {
		case r >= 0x0300 && r <= 0x036F: // accents, which NFKD set apart
		case latinFor[r] != "":
			b.WriteString(latinFor[r])
		case basic.MatchString(string(r)):
			b.WriteRune(r)
		default:
			return "", fmt.Errorf("%q has %q, which the bank does not take: write it in Latin letters", text, r)
		}
	}
	return b.String(), nil
}

// latinFor are common characters that have no accent to drop.
var latinFor = map[rune]string{'ß': "ss", 'æ': "ae", 'Æ': "AE", 'ø': "o", 'Ø': "O", 'œ': "oe", 'Œ': "OE", 'ł': "l", 'Ł': "L", 'đ': "d", 'Đ': "D", 'ı': "i",
	'&': "+", '_': "-", '–': "-", '—': "-", '‘': "'", '’': "'", '"': "'", '“': "'", '”': "'", ';': ",", '*': ".", '#': "No."}

// Sum is how many transfers an order has and what they come to together.
func (o Order) Sum() (int, market.Money) {
	var sum market.Money
	for _, t := range o.Transfers {
		sum = market.NewMoney(sum.Amount.Add(t.Amount.Amount), t.Amount.Currency)
	}
	return len(o.Transfers), sum
}
