package bank

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"nightshift/rules/market"
)

// camtNamespace begins the name of every version of the bank's statement; what
// we read of it is the same in all of them.
const camtNamespace = "urn:iso:std:iso:20022:tech:xsd:camt.053.001."

// The part of a statement that we read.
type (
	camtAmount struct {
		Currency string `xml:"Ccy,attr"`
		Amount   string `xml:",chardata"`
	}
	camtStatus struct {
		Code string `xml:"Cd"`
		Text string `xml:",chardata"` // up to version 7 the status is the text itself
	}
	camtDate struct {
		Date string `xml:"Dt"`
		Time string `xml:"DtTm"`
	}
	camtReason struct {
		Code  string   `xml:"Rsn>Cd"`
		Own   string   `xml:"Rsn>Prtry"`
		Texts []string `xml:"AddtlInf"`
	}
	camtBatch struct {
		Message string `xml:"MsgId"`
		Payment string `xml:"PmtInfId"`
		Count   string `xml:"NbOfTxs"`
	}
	camtDetails struct {
		BankRef   string      `xml:"Refs>AcctSvcrRef"`
		Order     string      `xml:"Refs>PmtInfId"`
		EndToEnd  string      `xml:"Refs>EndToEndId"`
		ID        string      `xml:"Refs>TxId"`
		Amount    *camtAmount `xml:"Amt"`
		Direction string      `xml:"CdtDbtInd"`
		Booked    *camtAmount `xml:"AmtDtls>TxAmt>Amt"`
		Ordered   *camtAmount `xml:"AmtDtls>InstdAmt>Amt"`
		IBAN      string      `xml:"RltdPties>CdtrAcct>Id>IBAN"`
		Account   string      `xml:"RltdPties>CdtrAcct>Id>Othr>Id"`
		Return    *camtReason `xml:"RtrInf"`
	}
	camtEntry struct {
		Ref       string     `xml:"NtryRef"`
		Amount    camtAmount `xml:"Amt"`
		Direction string     `xml:"CdtDbtInd"`
		Reversal  string     `xml:"RvslInd"`
		Status    camtStatus `xml:"Sts"`
		Booked    camtDate   `xml:"BookgDt"`
		Value     camtDate   `xml:"ValDt"`
		BankRef   string     `xml:"AcctSvcrRef"`
		Info      string     `xml:"AddtlNtryInf"`
		Details   []struct {
			Batch *camtBatch    `xml:"Btch"`
			Each  []camtDetails `xml:"TxDtls"`
		} `xml:"NtryDtls"`
	}
	camtBalance struct {
		Kind      string     `xml:"Tp>CdOrPrtry>Cd"`
		Amount    camtAmount `xml:"Amt"`
		Direction string     `xml:"CdtDbtInd"`
	}
)

// camtReader reads a document token by token: what it holds is one entry.
type camtReader struct {
	xml    *xml.Decoder
	answer Answer
	one    camtStatement // that is being read
	path   []string      // of the elements that are open
}

// camtStatement is what a statement has to add up to.
type camtStatement struct {
	id, account      string
	opening, closing *market.Money
	booked           market.Decimal
	currency         market.Currency
	entries          int
	told             string // how many entries the bank says there are
}

func readCamt(r io.Reader) (Answer, error) {
	c := &camtReader{xml: xml.NewDecoder(r)}
	ended := false
	for {
		token, err := c.xml.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Answer{}, err
		}
		switch t := token.(type) {
		case xml.Directive:
			// A document type could define entities, and entities of entities.
			return Answer{}, errors.New("it has a document type: a bank's statement has none")
		case xml.StartElement:
			if ended {
				return Answer{}, errors.New("it goes on after its end")
			}
			err = c.start(t)
		case xml.EndElement:
			err = c.end()
			ended = len(c.path) == 0
		}
		if err != nil {
			line, _ := c.xml.InputPos()
			return Answer{}, fmt.Errorf("line %d: %w", line, err)
		}
	}
	if !ended {
		return Answer{}, errors.New("it is cut off: get it again")
	}
	return c.answer, nil
}

// maxDepth is far more than a statement nests.
const maxDepth = 50

func (c *camtReader) start(e xml.StartElement) error {
	if len(c.path) == 0 && (e.Name.Local != "Document" || !strings.HasPrefix(e.Name.Space, camtNamespace)) {
		return fmt.Errorf("it is a %s of %q, not a statement camt.053", e.Name.Local, e.Name.Space)
	}
	c.path = append(c.path, e.Name.Local)
	if len(c.path) > maxDepth {
		return fmt.Errorf("it nests deeper than %d", maxDepth)
	}
	read := func(into any) error {
		c.path = c.path[:len(c.path)-1]
		return c.xml.DecodeElement(into, &e)
	}
	switch strings.Join(c.path, "/") {
	case "Document/BkToCstmrStmt/Stmt":
		c.one = camtStatement{}
	case "Document/BkToCstmrStmt/Stmt/Id":
		return read(&c.one.id)
	case "Document/BkToCstmrStmt/Stmt/TxsSummry/TtlNtries/NbOfNtries":
		return read(&c.one.told)
	case "Document/BkToCstmrStmt/Stmt/Acct":
		var a struct {
			IBAN  string `xml:"Id>IBAN"`
			Other string `xml:"Id>Othr>Id"`
		}
		err := read(&a)
		c.one.account = a.IBAN + a.Other
		return err
	case "Document/BkToCstmrStmt/Stmt/Bal":
		var b camtBalance
		if err := read(&b); err != nil {
			return err
		}
		return c.one.balance(b)
	case "Document/BkToCstmrStmt/Stmt/Ntry":
		var n camtEntry
		if err := read(&n); err != nil {
			return err
		}
		return c.entry(n)
	}
	return nil
}

func (c *camtReader) end() error {
	at := strings.Join(c.path, "/")
	c.path = c.path[:len(c.path)-1]
	if at != "Document/BkToCstmrStmt/Stmt" {
		return nil
	}
	if c.answer.Account != "" && c.answer.Account != c.one.account {
		return fmt.Errorf("it is of the accounts %s and %s: take in each by itself", c.answer.Account, c.one.account)
	}
	c.answer.Account = c.one.account
	c.answer.Statements = append(c.answer.Statements, c.one.id)
	return c.one.addsUp()
}

func (s *camtStatement) balance(b camtBalance) error {
	m, err := signed(b.Amount, b.Direction)
	if err != nil {
		return fmt.Errorf("balance %s: %w", b.Kind, err)
	}
	switch b.Kind {
	case "OPBD", "PRCD":
		s.opening = &m
	case "CLBD":
		s.closing = &m
	}
	return nil
}

// addsUp checks what the bank says of its own lines.
func (s *camtStatement) addsUp() error {
	if n, err := strconv.Atoi(s.told); s.told != "" && (err != nil || n != s.entries) {
		return fmt.Errorf("statement %s says that it has %s entries, there are %d: it is not whole", s.id, s.told, s.entries)
	}
	if s.opening == nil || s.closing == nil {
		return nil
	}
	for _, c := range []market.Currency{s.closing.Currency, s.currency} {
		if c != "" && c != s.opening.Currency {
			return fmt.Errorf("statement %s is of two currencies", s.id)
		}
	}
	if end := s.opening.Amount.Add(s.booked); end.Cmp(s.closing.Amount) != 0 {
		return fmt.Errorf("statement %s does not add up: it opens with %s and closes with %s, its entries lead to %s", s.id, s.opening, s.closing, end)
	}
	return nil
}

// signed is an amount of the account: what leaves it is below zero.
func signed(a camtAmount, direction string) (market.Money, error) {
	m, err := amountOf(a.Amount, a.Currency)
	switch {
	case err != nil:
		return m, err
	case m.Amount.Sign() < 0:
		return m, fmt.Errorf("%s is below zero", m)
	case direction == "DBIT":
		return m.Neg(), nil
	case direction == "CRDT":
		return m, nil
	}
	return m, fmt.Errorf("%s goes %q: it must be DBIT or CRDT", m, direction)
}
