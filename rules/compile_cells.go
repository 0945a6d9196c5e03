package rules

import (
	"fmt"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"nightshift/rules/market"
)

// mappingFunctions are those of mapping files.
func mappingFunctions(m *Mapping) map[string]*function {
	return map[string]*function{
		"time":    {`time(column) or time(column, "2006-01-02 15:04")`, 1, 2, m.timeCall},
		"number":  {"number(column)", 1, 1, numberCall},
		"money":   {`money(column, "CNY")`, 2, 2, moneyCall},
		"empty":   {"empty(column)", 1, 1, emptyCall},
		"col":     {`col("Order ID")`, 1, 1, columnCall},
		"replace": {`replace(column, "from", "to")`, 3, 3, replaceCall},
		"split":   {`split(column, "/", 0)`, 3, 3, splitCall},
		"round":   {`round(a, places, "half up")`, 3, 3, round},
		"divide":  {`divide(a, b, places, "half up")`, 4, 4, divide},
		"lower":   {"lower(column)", 1, 1, mapText(strings.ToLower)},
		"upper":   {"upper(column)", 1, 1, mapText(strings.ToUpper)},
		"trim":    {"trim(column)", 1, 1, mapText(strings.TrimSpace)},
		"len":     {"len(column)", 1, 1, length},
	}
}

// texts tells whether all arguments are texts.
func (c *compiler) texts(n *ast.CallNode, args []*operand) bool {
	for _, arg := range args {
		if arg.kind != KindText {
			c.refuse(n, n.Callee.String()+" of "+arg.kind.String()+" ("+clip(arg.text)+")", "write "+c.functions[n.Callee.String()].usage)
			return false
		}
	}
	return true
}

// timeCall is time(s) or time(s, layout): RFC 3339 in the mapping's zone.
func (m *Mapping) timeCall(c *compiler, n *ast.CallNode, args []*operand) *operand {
	if !c.texts(n, args) {
		return nil
	}
	read := parseInstant
	if len(args) == 2 {
		if !args[1].constant {
			return c.refuse(n, "the layout of a time is not fixed", `write it out: time(x, "2006-01-02 15:04")`)
		}
		layout := as[string](args[1])(nil)
		if t, err := time.Parse(layout, time.Date(2006, 1, 2, 15, 4, 5, 0, time.UTC).Format(layout)); err != nil || t.Year() == 0 {
			return c.refuse(n, fmt.Sprintf("%q is not a layout of a time", clip(layout)), `write how 2 January 2006, 15:04:05 would look: "02/01/2006 15:04"`)
		}
		read = func(text string, zone *time.Location) (time.Time, error) {
			t, err := time.ParseInLocation(layout, text, zone)
			if err != nil {
				err = fmt.Errorf("read instant %q: it is not written like %s", clip(text), layout)
			}
			return t, err
		}
	}
	x := as[string](args[0])
	return c.result(n, KindText, func(f *frame) string {
		text := strings.TrimSpace(x(f))
		if text == "" {
			return ""
		}
		t, err := read(text, m.zone())
		if err != nil {
			f.fail(err)
			return ""
		}
		return t.In(m.zone()).Format(time.RFC3339Nano)
	}, args...)
}

func numberCall(c *compiler, n *ast.CallNode, args []*operand) *operand {
	if !c.texts(n, args) {
		return nil
	}
	x := as[string](args[0])
	return c.result(n, KindDecimal, func(f *frame) market.Decimal { return f.number(x(f)) }, args...)
}

// number reads an exact number from a cell.
func (f *frame) number(text string) market.Decimal {
	text = strings.TrimSpace(text)
	if text == "" {
		f.fail(errEmptyCell)
		return market.Decimal{}
	}
	d, err := market.ParseDecimal(text)
	if err != nil {
		f.fail(err)
	}
	return d
}

func moneyCall(c *compiler, n *ast.CallNode, args []*operand) *operand {
	if !c.texts(n, args) {
		return nil
	}
	if args[1].constant {
		if _, err := market.ParseCurrency(as[string](args[1])(nil)); err != nil {
			return c.refuse(n, err.Error(), "")
		}
	}
	amount, code := as[string](args[0]), as[string](args[1])
	return c.result(n, KindMoney, func(f *frame) market.Money {
		currency, err := market.ParseCurrency(strings.TrimSpace(code(f)))
		d := f.number(amount(f))
		if err != nil {
			f.fail(err)
		}
		return market.NewMoney(d, currency)
	}, args...)
}

func emptyCall(c *compiler, n *ast.CallNode, args []*operand) *operand {
	if !c.texts(n, args) {
		return nil
	}
	x := as[string](args[0])
	return c.result(n, KindBool, func(f *frame) bool { return strings.TrimSpace(x(f)) == "" }, args...)
}

func columnCall(c *compiler, n *ast.CallNode, args []*operand) *operand {
	if !args[0].constant || !c.texts(n, args) {
		return c.refuse(n, "col takes the name of a column", `write col("Order ID")`)
	}
	return c.sourceCell(n, as[string](args[0])(nil))
}

func replaceCall(c *compiler, n *ast.CallNode, args []*operand) *operand {
	if !c.texts(n, args) {
		return nil
	}
	x, from, to := as[string](args[0]), as[string](args[1]), as[string](args[2])
	return c.result(n, KindText, func(f *frame) string { return strings.ReplaceAll(x(f), from(f), to(f)) }, args...)
}

// splitCall is the part of a text between separators, counted from 0; empty
// where there are fewer.
func splitCall(c *compiler, n *ast.CallNode, args []*operand) *operand {
	if !c.texts(n, args[:2]) {
		return nil
	}
	if args[2].kind != KindInt || !args[2].constant {
		return c.refuse(n, "the index of split is not fixed", `write split(x, "/", 0)`)
	}
	x, separator, index := as[string](args[0]), as[string](args[1]), int(as[int64](args[2])(nil))
	return c.result(n, KindText, func(f *frame) string {
		parts := strings.Split(x(f), separator(f))
		if index < 0 || index >= len(parts) {
			return ""
		}
		return parts[index]
	}, args...)
}
