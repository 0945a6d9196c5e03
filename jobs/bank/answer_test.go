package bank

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// camt is a statement with these entries.
func camt(version, entries string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="` + camtNamespace + version + `"><BkToCstmrStmt><GrpHdr><MsgId>M-1</MsgId><CreDtTm>2024-05-28T08:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S-7</Id><Acct><Id><Othr><Id>110906000010501</Id></Othr></Id></Acct>` + entries + `</Stmt></BkToCstmrStmt></Document>`
}

func balance(kind, amount, direction string) string {
	return `<Bal><Tp><CdOrPrtry><Cd>` + kind + `</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">` + amount + `</Amt><CdtDbtInd>` + direction + `</CdtDbtInd><Dt><Dt>2024-05-27</Dt></Dt></Bal>`
}

// line is an entry with one payment.
func line(amount, direction, status, ref, reference, more string) string {
	return `<Ntry><Amt Ccy="CNY">` + amount + `</Amt><CdtDbtInd>` + direction + `</CdtDbtInd>` + more + `<Sts>` + status + `</Sts><BookgDt><Dt>2024-05-27</Dt></BookgDt><AcctSvcrRef>` + ref +
		`</AcctSvcrRef><BkTxCd/><NtryDtls><TxDtls><Refs><EndToEndId>` + reference + `</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>`
}

func told(a Answer) string {
	var b strings.Builder
	for _, e := range a.Entries {
		fmt.Fprintf(&b, "%s %s %s %s %q %s\n", e.Kind, e.Reference, e.Amount, e.On, e.Reason, e.Order)
	}
	return b.String()
}

func TestAStatementIsReadWhateverItsVersion(t *testing.T) {
	entries := balance("OPBD", "10000.00", "CRDT") + balance("CLBD", "8900.50", "CRDT") +
		line("1000.00", "DBIT", "<Cd>BOOK</Cd>", "B-1", "R-1", "") +
		line("200.00", "DBIT", "<Cd>BOOK</Cd>", "B-2", "R-2", "") +
		line("100.50", "CRDT", "<Cd>BOOK</Cd>", "B-3", "R-3", "<RvslInd>true</RvslInd>") +
		line("55.00", "DBIT", "<Cd>PDNG</Cd>", "B-4", "R-4", "")
	want := "paid R-1 1000.00 CNY 2024-05-27 \"\" \npaid R-2 200.00 CNY 2024-05-27 \"\" \nreturned R-3 100.50 CNY 2024-05-27 \"\" \n"
	for _, version := range []string{"02", "04", "08", "12"} {
		text := camt(version, entries)
		if version < "08" {
			text = strings.NewReplacer("<Cd>BOOK</Cd>", "BOOK", "<Cd>PDNG</Cd>", "PDNG").Replace(text)
		}
		a, err := Read("s.xml", strings.NewReader(text))
		if err != nil || told(a) != want || a.Pending != 1 || a.Account != "110906000010501" || a.Statements[0] != "S-7" {
			t.Errorf("version %s: %+v, %v", version, a, err)
		}
	}
}

func TestAReturnedPaymentSaysWhy(t *testing.T) {
	entry := `<Ntry><Amt Ccy="CNY">12.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><ValDt><DtTm>2024-05-29T10:00:00+08:00</DtTm></ValDt><BkTxCd/><NtryDtls><TxDtls>
		<Refs><EndToEndId>R-1</EndToEndId></Refs><RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed account</AddtlInf></RtrInf></TxDtls></NtryDtls></Ntry>`
	a, err := Read("s.xml", strings.NewReader(camt("08", entry)))
	if got := told(a); err != nil || got != "returned R-1 12.00 CNY 2024-05-29 \"AC04 closed account\" \n" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestASumOfPaymentsIsTakenApart(t *testing.T) {
	details := func(reference, amount string) string {
		return `<TxDtls><Refs><EndToEndId>` + reference + `</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy="CNY">` + amount + `</Amt></TxAmt></AmtDtls></TxDtls>`
	}
	entry := func(more string) string {
		return camt("08", `<Ntry><NtryRef>1</NtryRef><Amt Ccy="CNY">30.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2024-05-27</Dt></BookgDt><BkTxCd/><NtryDtls>`+more+`</NtryDtls></Ntry>`)
	}
	a, err := Read("s.xml", strings.NewReader(entry(details("R-1", "10.00")+details("R-2", "20.00"))))
	if got := told(a); err != nil || got != "paid R-1 10.00 CNY 2024-05-27 \"\" \npaid R-2 20.00 CNY 2024-05-27 \"\" \n" {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := Read("s.xml", strings.NewReader(entry(details("R-1", "10.00")+details("R-2", "20.01")))); err == nil || !strings.Contains(err.Error(), "its payments come to -30.01, the entry to -30.00 CNY") {
		t.Errorf("a sum that is not one: %v", err)
	}
	a, err = Read("s.xml", strings.NewReader(entry(`<Btch><PmtInfId>NS-1</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>`)))
	if got := told(a); err != nil || got != "paid  30.00 CNY 2024-05-27 \"\" NS-1\n" || a.Entries[0].Count != 2 {
		t.Errorf("%s, %v", got, err)
	}
}

func TestAFileThatCannotBeTrustedIsRefused(t *testing.T) {
	whole := camt("08", line("1.00", "DBIT", "<Cd>BOOK</Cd>", "B", "R", ""))
	laughs := strings.Replace(whole, "?>", `?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>`, 1)
	for want, text := range map[string]string{
		"it has a document type":                          strings.Replace(laughs, "<Id>S-7</Id>", "<Id>&c;</Id>", 1),
		"invalid character entity &b;":                    strings.Replace(whole, "<Id>S-7</Id>", "<Id>&b;</Id>", 1),
		"unexpected EOF":                                  whole[:len(whole)-40],
		"it goes on after its end":                        whole + "<x/>",
		"nests deeper than 50":                            camt("08", strings.Repeat("<x>", 60)),
		"not a statement camt.053":                        strings.Replace(whole, "camt.053", "camt.054", 1),
		"its status is \"DONE\"":                          camt("08", line("1.00", "DBIT", "<Cd>DONE</Cd>", "B", "R", "")),
		"is below zero":                                   camt("08", line("-1.00", "DBIT", "<Cd>BOOK</Cd>", "B", "R", "")),
		"it must be DBIT or CRDT":                         camt("08", line("1.00", "OUT", "<Cd>BOOK</Cd>", "B", "R", "")),
		"not a plain decimal number":                      camt("08", line("1e3", "DBIT", "<Cd>BOOK</Cd>", "B", "R", "")),
		"it opens with 5.00 CNY and closes with 5.00 CNY": camt("08", balance("OPBD", "5.00", "CRDT")+balance("CLBD", "5.00", "CRDT")+line("1.00", "DBIT", "<Cd>BOOK</Cd>", "B", "R", "")),
		"says that it has 2 entries, there are 1":         camt("08", "<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>"+line("1.00", "DBIT", "<Cd>BOOK</Cd>", "B", "R", "")),
		"has no date":                                     strings.Replace(whole, "<BookgDt><Dt>2024-05-27</Dt></BookgDt>", "", 1),
		"two currencies":                                  camt("08", line("1.00", "DBIT", "<Cd>BOOK</Cd>", "B", "R", "")+strings.ReplaceAll(line("1.00", "DBIT", "<Cd>BOOK</Cd>", "C", "R", ""), "CNY", "USD")),
		"it says nothing":                                 "<",
		"has no column status":                            "reference,amount,currency,booked_on\n",
		"it is empty":                                     "",
		"two columns amount":                              "reference,amount,currency,status,booked_on,amount\n",
		"line 2: the status is \"ok\"":                    "reference,amount,currency,status,booked_on\nR,1.00,CNY,ok,2024-05-27\n",
		"line 2: the amount -1.00 CNY is not above zero":  "reference,amount,currency,status,booked_on\nR,-1.00,CNY,paid,2024-05-27\n",
		"line 3: read date \"27.5.2024\"":                 "reference,amount,currency,status,booked_on\nR,1.00,CNY,paid,2024-05-27\nR,1.00,CNY,paid,27.5.2024\n",
		"unknown currency":                                "reference,amount,currency,status,booked_on\nR,1.00,YUAN,paid,2024-05-27\n",
	} {
		a, err := Read("f", strings.NewReader(text))
		if want == "it says nothing" {
			want = "" // a lone < is no XML at all
		}
		if !errors.Is(err, ErrBadAnswer) || !strings.Contains(err.Error(), want) || len(a.Entries) > 0 {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// endless is a file that never ends.
type endless struct{ begun bool }

func (e *endless) Read(p []byte) (int, error) {
	text := " "
	if !e.begun {
		e.begun, text = true, camt("08", "")[:200]+"<AddtlInf>"
	}
	n := copy(p, text)
	for ; n < len(p); n++ {
		p[n] = ' '
	}
	return n, nil
}

func TestAnEndlessFileIsRefusedAtItsLimit(t *testing.T) {
	if _, err := Read("f", &limitedTo{&endless{}, 0}); err == nil {
		t.Error("an endless file was read")
	}
}

// limitedTo fails long before the limit of bytes would, so that the test does
// not read as many.
type limitedTo struct {
	*endless
	n int
}

func (l *limitedTo) Read(p []byte) (int, error) {
	if l.n += len(p); l.n > 1<<20 {
		return 0, errors.New("the disk is gone")
	}
	return l.endless.Read(p)
}

func TestALimitedReaderSaysThatAFileGoesOn(t *testing.T) {
	l := &limitedReader{r: strings.NewReader("abcdef"), left: 4}
	p := make([]byte, 10)
	if n, err := l.Read(p); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := l.Read(p); err == nil || !strings.Contains(err.Error(), "ask the bank for a file a day") {
		t.Errorf("%v", err)
	}
}

func TestAnAnswerAsCSVIsRead(t *testing.T) {
	text := "\ufeffReason,Reference,Amount,Currency,Status,Booked_on,extra\r\n,R-1,10.00,CNY,paid,2024-05-27,x\r\n\r\nAC04 closed,R-2,20.00,CNY,FAILED,2024-05-28,y\r\n,R-3,1,CNY,pending,,\r\n"
	a, err := Read("a.csv", strings.NewReader(text))
	if got := told(a); err != nil || got != "paid R-1 10.00 CNY 2024-05-27 \"\" \nfailed R-2 20.00 CNY 2024-05-28 \"AC04 closed\" \n" || a.Pending != 1 {
		t.Errorf("%s%+v, %v", got, a, err)
	}
}

func TestTheSameLineHasTheSameKeyAndAnotherHasAnother(t *testing.T) {
	entry := line("1.00", "DBIT", "<Cd>BOOK</Cd>", "B", "R", "")
	keys := func(text string) (keys []string) {
		a, err := Read("f", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range a.Entries {
			keys = append(keys, e.Key)
		}
		return keys
	}
	once, twice := keys(camt("08", entry)), keys(camt("08", entry+entry))
	if once[0] != twice[0] || twice[0] == twice[1] {
		t.Errorf("%q, %q", once, twice)
	}
	other := keys(camt("08", line("1.00", "DBIT", "<Cd>BOOK</Cd>", "C", "R", "")))
	later := keys(strings.Replace(camt("08", entry), "S-7", "S-8", 1))
	if other[0] == once[0] || later[0] != once[0] {
		t.Errorf("%q, %q, %q", once, other, later)
	}
}

func TestBrokenBytesAreAnErrorAndNeverAPanic(t *testing.T) {
	whole := []byte(camt("08", balance("OPBD", "5.00", "CRDT")+balance("CLBD", "4.00", "CRDT")+line("1.00", "DBIT", "<Cd>BOOK</Cd>", "B", "R", "")))
	rapid.Check(t, func(t *rapid.T) {
		text := append([]byte(nil), whole...)
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				text[at] = rapid.Byte().Draw(t, "byte")
			case 1:
				text = append(text[:at], text[min(at+rapid.IntRange(1, 80).Draw(t, "cut"), len(text)-1):]...)
			case 2:
				text = append(text[:at:at], append([]byte(rapid.SampledFrom([]string{"<Ntry>", "&amp;", "]]>", "<!-- -->", "</Stmt>", "\x00"}).Draw(t, "piece")), text[at:]...)...)
			}
			if len(text) < 2 {
				break
			}
		}
		if _, err := Read("f", strings.NewReader(string(text))); err != nil && !errors.Is(err, ErrBadAnswer) {
			t.Errorf("%v", err)
		}
	})
}
