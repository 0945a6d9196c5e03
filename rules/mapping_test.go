package rules

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var ourColumns = []string{"code", "placed_at", "amount", "kind", "note", "count", "flag"}

const ordersMapping = `kind: orders
site: br
time_zone: America/Sao_Paulo
where: status != "canceled" and not empty(order_id)
columns:
  code: upper(order_id) + "-" + col("Line No")
  placed_at: time(purchased)
  amount: money(price, "BRL") + money(freight, "BRL")
  kind: 'status in ["shipped", "delivered"] ? "hardware" : "saas"'
  note: comment ?? "none"
  count: number(qty)
  flag: number(qty) > 1.5
`

var sourceHeader = []string{"Line No", "order_id", "status", "purchased", "price", "freight", "comment", "qty", "unused"}

func TestMapping(t *testing.T) {
	m, err := ParseMapping("orders.map.yaml", []byte(ordersMapping), ourColumns)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Check(sourceHeader); err != nil {
		t.Fatal(err)
	}
	if m.Kind != "orders" || m.Site != "br" || m.Zone.String() != "America/Sao_Paulo" {
		t.Errorf("%+v", m)
	}
	for row, want := range map[string]string{
		"1|ab|delivered|2017-10-02 10:56:33|29.99|8.72||2|x":  "AB-1|2017-10-02T10:56:33-03:00|38.71 BRL|hardware|none|2|true",
		"2|ab|created|2017-11-02 10:56:33|29.990|8.720|hm|1|": "AB-2|2017-11-02T10:56:33-02:00|38.71 BRL|saas|hm|1|false",
		"2|ab|created||29.99||hm|1.50":                        "AB-2|||saas|hm|1.5|false",
		"2|ab|created|2017-10-02T10:56:33Z|1|1|hm|1.50|":      "AB-2|2017-10-02T07:56:33-03:00|2.00 BRL|saas|hm|1.5|false",
		"2|ab|canceled|never|x|y|hm|z|":                       "left out",
		"2||created|2017-11-02|29.99|8.72|hm|1|":              "left out",
		"2|ab|created|2017-13-02|29.99|8.72|hm|1|":            `column placed_at from "2017-13-02": read instant "2017-13-02": write it like 2024-03-11T10:00:00`,
		"2|ab|created|2017-12-02|29,99|8.72|hm|1|":            `column amount from "29,99": read number "29,99": not a plain decimal number: write it like 1234.56`,
	} {
		dst := make([]string, len(ourColumns))
		keep, err := m.Row(dst, strings.Split(row, "|"))
		got := strings.Join(dst, "|")
		var cell *CellError
		switch {
		case err != nil && errors.As(err, &cell):
			got = err.Error()
		case !keep:
			got = "left out"
		}
		if got != want {
			t.Errorf("%s\nis   %s\nwant %s", row, got, want)
		}
	}
	if got := m.Sources(); !slices.Contains(got, "Line No") || len(got) != 8 {
		t.Errorf("it reads %v", got)
	}
}

func TestMappingIsCheckedBeforeTheFirstRow(t *testing.T) {
	for text, reason := range map[string]string{
		"kind: orders\ncolumns: {cod: order_id}":                             "orders have no column cod, did you mean code?",
		"kind: orders\ncolumns: {code: uper(order_id)}":                      "did you mean upper?",
		"kind: orders\ncolumns: {code: order_id +}":                          "ends too early",
		"kind: orders\ncolumns: {amount: 'price * 2'}":                       "between a text (price) and a whole number (2)",
		"kind: orders\ncolumns: {amount: 'money(price, \"RBL\")'}":           "unknown currency",
		"kind: orders\ncolumns: {placed_at: 'time(x, \"yyyy-mm-dd\")'}":      "is not a layout",
		"kind: orders\ncolumns: {placed_at: now()}":                          "reads a clock",
		"kind: orders\nwhere: status\ncolumns: {code: order_id}":             "not a yes or no",
		"kind: orders\ntime_zone: Brazil\ncolumns: {code: order_id}":         "unknown time zone",
		"kind: orders\ncolumns: {code: ''}":                                  "not an expression",
		"columns: {code: order_id}":                                          "no kind",
		"kind: orders":                                                       "no columns",
		"kind: orders\ncolumns: {note: 'split(order_id, \"/\", number(x))'}": "not fixed",
	} {
		_, err := ParseMapping("m.yaml", []byte(text), ourColumns)
		if err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s\nsays %v\nand nothing of %q", text, err, reason)
		}
	}
	m, err := ParseMapping("m.yaml", []byte("kind: orders\ncolumns:\n  code: ordr_id\n  note: col(\"Remark\")\n"), ourColumns)
	if err != nil {
		t.Fatal(err)
	}
	err = m.Check(sourceHeader)
	want := "m.yaml:3:9: the file has no column ordr_id, did you mean order_id?"
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "no column Remark") {
		t.Errorf("got %v, want %s", err, want)
	}
}
