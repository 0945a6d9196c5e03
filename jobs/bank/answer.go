package bank

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"nightshift/rules/market"
)

// ErrBadAnswer marks a bank's file that cannot be read, or does not add up.
var ErrBadAnswer = errors.New("not a bank's answer that can be trusted")

// Kind is what a line of the bank says.
type Kind string

const (
	Paid     Kind = "paid"     // money left our account
	Returned Kind = "returned" // money that had left came back
	Failed   Kind = "failed"   // the bank refused to pay, nothing left
	Received Kind = "received" // money came in that names no payment of ours
	Reversed Kind = "reversed" // the bank took back what it had credited
)

// Entry is one line of the bank: what became of one payment.
type Entry struct {
	Key       string // the same whenever the bank tells it again
	Line      string // where it stands in its file
	Kind      Kind
	Reference string // our own, where the bank gave it back
	Order     string // the payment file, where the bank booked it as one sum
	Count     int    // of payments in that sum; 0 where the bank did not say
	Amount    market.Money
	Account   string // that the money went to, where the bank says so
	On        market.Date
	BankRef   string // the bank's own
	Reason    string // of what came back or was refused
}

// Answer is what a bank's file says.
type Answer struct {
	Statements []string // their ids, as the bank numbers them
	Account    string   // that they are of, where the file says so
	Entries    []Entry
	Pending    int // lines that the bank has not booked yet; they come again when it has
}

// maxAnswer is how many bytes of a bank's file are read: months of a large
// account fit many times over.
const maxAnswer = 256 << 20

// Read reads the bank's answer, camt.053 or CSV: a file of XML begins with <.
func Read(name string, r io.Reader) (Answer, error) {
	limited := &limitedReader{r: r, left: maxAnswer}
	head := make([]byte, 512)
	n, err := io.ReadFull(limited, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Answer{}, fmt.Errorf("read %s: %w", name, err)
	}
	head = head[:n]
	whole := io.MultiReader(strings.NewReader(string(head)), limited)
	read := readCSV
	if strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(string(head), byteOrderMark), " \t\r\n"), "<") {
		read = readCamt
	}
	a, err := read(whole)
	if err != nil {
		return Answer{}, fmt.Errorf("read %s: %w: %w", name, ErrBadAnswer, err)
	}
	if len(a.Entries) == 0 && a.Pending == 0 && len(a.Statements) == 0 {
		return Answer{}, fmt.Errorf("read %s: %w: it says nothing", name, ErrBadAnswer)
	}
	a.number()
	return a, nil
}

const byteOrderMark = "\ufeff"

// number tells entries apart that are alike to the letter, as two payments of
// the same amount under the same reference are.
func (a *Answer) number() {
	seen := map[string]int{}
	for i := range a.Entries {
		key := a.Entries[i].Key
		if seen[key]++; seen[key] > 1 {
			a.Entries[i].Key = fmt.Sprintf("%s#%d", key, seen[key])
		}
	}
}

// limitedReader answers an error where a file goes on for too long, so that
// the part that was read is not taken for the whole.
type limitedReader struct {
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("it has more than %d bytes: ask the bank for a file a day", int64(maxAnswer))
	}
	if int64(len(p)) > l.left {
		p = p[:l.left]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	return n, err
}

// amountOf reads an amount as the bank writes it: digits, a point, a currency.
func amountOf(number, currency string) (market.Money, error) {
	c, err := market.ParseCurrency(strings.TrimSpace(currency))
	if err != nil {
		return market.Money{}, err
	}
	amount, err := market.ParseDecimal(strings.TrimSpace(number))
	if err != nil {
		return market.Money{}, err
	}
	return market.NewMoney(amount, c), nil
}
