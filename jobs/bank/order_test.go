package bank

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"nightshift/rules/market"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got)\n%s", path, diff)
	}
}

func money(text string) market.Money {
	m, err := market.ParseMoney(text)
	if err != nil {
		panic(err)
	}
	return m
}

// sampleOrder pays three sellers, each with an account of another kind.
func sampleOrder() Order {
	return Order{
		ID: "NS-cn-202404-1", Initiator: "Cloud Market Operations", CreatedAt: time.Date(2024, 5, 27, 9, 0, 0, 0, time.FixedZone("", 8*3600)), ExecuteOn: market.NewDate(2024, time.May, 27),
		From: Account{Holder: "云商店运营有限公司", Number: "110906000010501", BIC: "ICBKCNBJ", Branch: "102100099996", Country: "CN"},
		Transfers: []Transfer{
			{Reference: "cn-202404-acme-1.1", Seller: "acme", Amount: money("1234.50 CNY"), To: Account{Holder: "安科软件 & Söhne <AG>", Number: "6222020200112233445", Branch: "102290000011", Country: "CN"}, Remittance: "结算 202404 acme"},
			{Reference: "cn-202404-globex-1.1", Seller: "globex", Amount: money("0.01 CNY"), To: Account{Holder: "Globex GmbH", IBAN: "DE89370400440532013000", BIC: "COBADEFFXXX"}, Remittance: "Settlement 202404"},
			{Reference: "cn-202404-zed-1.2", Seller: "=zed", Amount: money("99999999.99 CNY"), To: Account{Holder: "=cmd|' /C calc'!A0", IBAN: "NO9386011117947"}},
		},
	}
}

func written(t *testing.T, write func(io.Writer, Order) error, o Order) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAPaymentFileIsWrittenAsItIsKept(t *testing.T) {
	golden(t, "order.xml", written(t, WritePain, sampleOrder()))
	golden(t, "order.csv", written(t, WriteCSV, sampleOrder()))
}

// leaf is an element of the message without elements below it.
type leaf struct{ path, text string }

// leaves reads a document back, without knowing what it should hold.
func leaves(t *testing.T, document string) (list []leaf, attributes []string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(document))
	var path []string
	text, filled := "", true
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return list, attributes
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if e.Name.Space != painNamespace {
				t.Fatalf("%s is in the namespace %q", e.Name.Local, e.Name.Space)
			}
			path, text, filled = append(path, e.Name.Local), "", false
			for _, a := range e.Attr {
				if a.Name.Local != "xmlns" {
					attributes = append(attributes, e.Name.Local+"@"+a.Name.Local+"="+a.Value)
				}
			}
		case xml.CharData:
			text += string(e)
		case xml.EndElement:
			if filled = filled || strings.TrimSpace(text) != ""; !filled {
				t.Errorf("%s is empty", strings.Join(path, "/"))
			}
			if strings.TrimSpace(text) != "" {
				list = append(list, leaf{strings.Join(path[2:], "/"), text})
			}
			path, text = path[:len(path)-1], ""
		}
	}
}

// The order of elements, and the form of each, as the schema of
// pain.001.001.09 has them, of the part that we write.
var schema = []struct{ path, form string }{
	{"GrpHdr/MsgId", `^.{1,35}$`},
	{"GrpHdr/CreDtTm", `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$`},
	{"GrpHdr/NbOfTxs", `^[0-9]{1,15}$`},
	{"GrpHdr/CtrlSum", `^\d{1,18}(\.\d{1,17})?$`},
	{"GrpHdr/InitgPty/Nm", `^.{1,140}$`},
	{"PmtInf/PmtInfId", `^.{1,35}$`},
	{"PmtInf/PmtMtd", `^(CHK|TRF|TRA)$`},
	{"PmtInf/BtchBookg", `^(true|false)$`},
	{"PmtInf/NbOfTxs", `^[0-9]{1,15}$`},
	{"PmtInf/CtrlSum", `^\d{1,18}(\.\d{1,17})?$`},
	{"PmtInf/ReqdExctnDt/Dt", `^\d{4}-\d\d-\d\d$`},
	{"PmtInf/Dbtr/Nm", `^.{1,140}$`},
	{"PmtInf/Dbtr/PstlAdr/Ctry", `^[A-Z]{2}$`},
	{"PmtInf/DbtrAcct/Id/IBAN", `^[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}$`},
	{"PmtInf/DbtrAcct/Id/Othr/Id", `^.{1,34}$`},
	{"PmtInf/DbtrAcct/Ccy", `^[A-Z]{3}$`},
	{"PmtInf/DbtrAgt/FinInstnId/BICFI", `^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$`},
	{"PmtInf/DbtrAgt/FinInstnId/ClrSysMmbId/MmbId", `^.{1,35}$`},
	{"PmtInf/DbtrAgt/FinInstnId/Othr/Id", `^.{1,35}$`},
	{"PmtInf/ChrgBr", `^(DEBT|CRED|SHAR|SLEV)$`},
	{"PmtInf/CdtTrfTxInf/PmtId/InstrId", `^.{1,35}$`},
	{"PmtInf/CdtTrfTxInf/PmtId/EndToEndId", `^.{1,35}$`},
	{"PmtInf/CdtTrfTxInf/Amt/InstdAmt", `^\d{1,16}(\.\d{1,5})?$`},
	{"PmtInf/CdtTrfTxInf/CdtrAgt/FinInstnId/BICFI", `^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$`},
	{"PmtInf/CdtTrfTxInf/CdtrAgt/FinInstnId/ClrSysMmbId/MmbId", `^.{1,35}$`},
	{"PmtInf/CdtTrfTxInf/Cdtr/Nm", `^.{1,140}$`},
	{"PmtInf/CdtTrfTxInf/Cdtr/PstlAdr/Ctry", `^[A-Z]{2}$`},
	{"PmtInf/CdtTrfTxInf/CdtrAcct/Id/IBAN", `^[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}$`},
	{"PmtInf/CdtTrfTxInf/CdtrAcct/Id/Othr/Id", `^.{1,34}$`},
	{"PmtInf/CdtTrfTxInf/RmtInf/Ustrd", `^.{1,140}$`},
}

func TestThePaymentMessageHasTheFormOfItsSchema(t *testing.T) {
	plain := sampleOrder()
	plain.From = Account{Holder: "Cloud Market", IBAN: "DE89370400440532013000"}
	for name, o := range map[string]Order{"numbers and IBANs": sampleOrder(), "a bank that only the IBAN names": plain} {
		list, attributes := leaves(t, written(t, WritePain, o))
		at := 0
		counts := map[string]int{}
		for _, l := range list {
			if l.path == "PmtInf/CdtTrfTxInf/PmtId/InstrId" {
				at = 0 // each transfer begins anew
			}
			for at < len(schema) && schema[at].path != l.path {
				at++
			}
			if at == len(schema) {
				t.Fatalf("%s: %s stands where the schema has no room for it", name, l.path)
			}
			if !regexp.MustCompile(schema[at].form).MatchString(l.text) {
				t.Errorf("%s: %s is %q, which is not %s", name, l.path, l.text, schema[at].form)
			}
			counts[l.path]++
		}
		for _, must := range []string{"GrpHdr/MsgId", "GrpHdr/CreDtTm", "GrpHdr/NbOfTxs", "GrpHdr/InitgPty/Nm", "PmtInf/PmtInfId", "PmtInf/PmtMtd", "PmtInf/ReqdExctnDt/Dt", "PmtInf/Dbtr/Nm"} {
			if counts[must] != 1 {
				t.Errorf("%s: %d of %s", name, counts[must], must)
			}
		}
		if n := len(o.Transfers); counts["PmtInf/CdtTrfTxInf/PmtId/EndToEndId"] != n || len(attributes) != n || attributes[0] != "InstdAmt@Ccy=CNY" {
			t.Errorf("%s: %v, %v", name, counts, attributes)
		}
	}
}

func TestTheControlSumsAreThoseOfTheTransfers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := sampleOrder()
		o.Transfers = nil
		cents := int64(0)
		for i, n := range rapid.SliceOfN(rapid.Int64Range(1, 1e12), 1, 40).Draw(t, "cents") {
			amount := market.NewMoney(market.DecimalOf(n).Mul(mustDecimal("0.01")), "CNY")
			o.Transfers = append(o.Transfers, Transfer{Reference: fmt.Sprint("R-", i), Seller: "s", Amount: amount, To: Account{Holder: "x", Number: "1"}})
			cents += n
		}
		var pain, table bytes.Buffer
		if err := errors.Join(WritePain(&pain, o), WriteCSV(&table, o)); err != nil {
			t.Fatal(err)
		}
		n, sum := fmt.Sprint(len(o.Transfers)), fmt.Sprintf("%d.%02d", cents/100, cents%100)
		if strings.Count(pain.String(), "<NbOfTxs>"+n+"<") != 2 || strings.Count(pain.String(), "<CtrlSum>"+sum+"<") != 2 {
			t.Errorf("%s transfers of %s:\n%s", n, sum, pain.String())
		}
		rows, err := csv.NewReader(&table).ReadAll()
		if last := rows[len(rows)-1]; err != nil || last[0] != "TOTAL" || last[1] != n || last[8] != sum || len(rows) != len(o.Transfers)+2 {
			t.Errorf("%v, %v", rows, err)
		}
	})
}

func mustDecimal(text string) market.Decimal {
	d, err := market.ParseDecimal(text)
	if err != nil {
		panic(err)
	}
	return d
}

func TestWhatABankWouldRefuseIsRefusedBefore(t *testing.T) {
	for want, spoil := range map[string]func(*Order){
		"there is nothing to pay":                  func(o *Order) { o.Transfers = nil },
		"the amount is not above zero":             func(o *Order) { o.Transfers[0].Amount = money("0.00 CNY") },
		"CNY has 2 decimals at most":               func(o *Order) { o.Transfers[0].Amount = money("1.005 CNY") },
		"the currency is not CNY":                  func(o *Order) { o.Transfers[1].Amount = money("1.00 USD") },
		"more than 18 digits":                      func(o *Order) { o.Transfers[0].Amount = money("12345678901234567.89 CNY") },
		"was used above":                           func(o *Order) { o.Transfers[1].Reference = o.Transfers[0].Reference },
		"does not have 1 to 35 characters":         func(o *Order) { o.Transfers[0].Reference = strings.Repeat("x", 36) },
		"characters that banks change":             func(o *Order) { o.Transfers[0].Reference = "结算" },
		"begins or ends with a slash":              func(o *Order) { o.ID = "/x" },
		"DE88370400440532013000 is no IBAN":        func(o *Order) { o.Transfers[1].To.IBAN = "DE88370400440532013000" },
		"COBADEF is no BIC":                        func(o *Order) { o.Transfers[1].To.BIC = "COBADEF" },
		"has an IBAN and a number":                 func(o *Order) { o.Transfers[1].To.Number = "1" },
		"has neither an IBAN nor a number":         func(o *Order) { o.Transfers[1].To.IBAN = "" },
		"has no holder":                            func(o *Order) { o.Transfers[1].To.Holder = "" },
		"has 141 characters":                       func(o *Order) { o.Transfers[1].Remittance = strings.Repeat("结", 141) },
		"a character that no file carries":         func(o *Order) { o.Transfers[1].To.Holder = "a\x00b" },
		"China is no country":                      func(o *Order) { o.From.Country = "China" },
		"longer than 34 characters":                func(o *Order) { o.From.Number = strings.Repeat("1", 35) },
		"it has no instant":                        func(o *Order) { o.CreatedAt = time.Time{} },
		"the bank number \"工行\" is longer than 35": func(o *Order) { o.From.Branch = "工行" },
	} {
		for form, write := range map[string]func(io.Writer, Order) error{"pain": WritePain, "csv": WriteCSV} {
			o := sampleOrder()
			spoil(&o)
			var b bytes.Buffer
			if err := write(&b, o); !errors.Is(err, ErrBadOrder) || !strings.Contains(err.Error(), want) || b.Len() > 0 {
				t.Errorf("%s: want %q, got %v and %d bytes", form, want, err, b.Len())
			}
		}
	}
}

func TestReferencesAreShortPlainAndDifferent(t *testing.T) {
	for seller, want := range map[string]string{
		"acme":                       "cn-202404-acme-1.1",
		"acme.de":                    "cn-202404-acme.de-1.1",
		"a+b":                        "cn-202404-a.b+dbb4825384-1.1",
		"3442f8959a84dea7ee197c632c": "cn-202404-3442f8959a+c1d0a1efb4-1.1",
	} {
		if got := Reference("cn", 202404, seller, 1, 1); got != want {
			t.Errorf("%s: %s, want %s", seller, got, want)
		}
	}
	seen := map[string]string{}
	rapid.Check(t, func(t *rapid.T) {
		site := rapid.StringMatching(`[a-z][a-z0-9_]{0,15}`).Draw(t, "site")
		seller := rapid.OneOf(rapid.StringMatching(`[a-zA-Z0-9._/-]{1,60}`), rapid.String()).Draw(t, "seller")
		version, try := rapid.IntRange(1, 99).Draw(t, "version"), rapid.IntRange(1, 9).Draw(t, "try")
		got := Reference(site, 202404, seller, version, try)
		if err := checkReference(got); err != nil {
			t.Error(err)
		}
		of := fmt.Sprint(site, "|", seller, "|", version, "|", try)
		if before, taken := seen[got]; taken && before != of {
			t.Errorf("%s is of %q and of %q", got, before, of)
		}
		seen[got] = of
	})
}

func TestLatinKeepsWhatBanksTake(t *testing.T) {
	for text, want := range map[string]string{"Müller & Söhne GmbH": "Muller + Sohne GmbH", "São Paulo Ltda.": "Sao Paulo Ltda.", "Æsir_Øst": "AEsir-Ost", "": "", "a/b-c?:().,'+": "a/b-c?:().,'+"} {
		if got, err := Latin(text); got != want || err != nil {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
	if _, err := Latin("安科"); err == nil || !strings.Contains(err.Error(), "write it in Latin letters") {
		t.Errorf("a Chinese name: %v", err)
	}
}
