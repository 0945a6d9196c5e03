package bank

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"nightshift/rules/market"
)

// answerColumns are those of a bank's answer as CSV; the last three may be missing.
var answerColumns = []string{"reference", "amount", "currency", "status", "booked_on", "bank_reference", "reason", "account"}

// needed is how many of them must be there.
const needed = 5

// maxRows is more than one answer ever had.
const maxRows = 5_000_000

func readCSV(r io.Reader) (Answer, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord, in.ReuseRecord = -1, true
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return Answer{}, errors.New("it is empty")
	}
	if err != nil {
		return Answer{}, err
	}
	at, err := columnsOf(head)
	if err != nil {
		return Answer{}, err
	}
	var a Answer
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return a, nil
		}
		if err != nil {
			return Answer{}, err
		}
		if strings.TrimSpace(strings.Join(record, "")) == "" {
			continue
		}
		line, _ := in.FieldPos(0)
		cell := func(column string) string {
			if i, there := at[column]; there && i < len(record) {
				return strings.TrimSpace(record[i])
			}
			return ""
		}
		if strings.EqualFold(cell("status"), "pending") {
			a.Pending++
			continue
		}
		e, err := entryOf(cell)
		if err != nil {
			return Answer{}, fmt.Errorf("line %d: %w", line, err)
		}
		e.Line = fmt.Sprintf("line %d", line)
		if a.Entries = append(a.Entries, e); len(a.Entries) > maxRows {
			return Answer{}, fmt.Errorf("it has more than %d lines", maxRows)
		}
	}
}

func columnsOf(head []string) (map[string]int, error) {
	at := map[string]int{}
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, byteOrderMark)))
		if !slices.Contains(answerColumns, name) {
			continue
		}
		if _, twice := at[name]; twice {
			return nil, fmt.Errorf("it has two columns %s", name)
		}
		at[name] = i
	}
	for _, name := range answerColumns[:needed] {
		if _, there := at[name]; !there {
			return nil, fmt.Errorf("it has no column %s: its header must have %s", name, strings.Join(answerColumns, ", "))
		}
	}
	return at, nil
}

func entryOf(cell func(string) string) (e Entry, err error) {
	e = Entry{Reference: ownReference(cell("reference")), Kind: Kind(strings.ToLower(cell("status"))), BankRef: cell("bank_reference"), Reason: cell("reason"), Account: cell("account")}
	if !slices.Contains([]Kind{Paid, Returned, Failed, Received}, e.Kind) {
		return e, fmt.Errorf("the status is %q: it is paid, returned, failed, received or pending", cell("status"))
	}
	if e.Amount, err = amountOf(cell("amount"), cell("currency")); err != nil {
		return e, err
	}
	if e.Amount.Amount.Sign() <= 0 {
		return e, fmt.Errorf("the amount %s is not above zero: the status says which way it goes", e.Amount)
	}
	if e.On, err = market.ParseDate(cell("booked_on")); err != nil {
		return e, err
	}
	e.Key = strings.Join([]string{"csv", e.BankRef, e.Reference, string(e.Kind), e.Amount.String(), e.On.String()}, "|")
	return e, nil
}
