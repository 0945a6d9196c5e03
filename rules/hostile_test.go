package rules

import (
	"strings"
	"testing"
)

// TestFullWidthEverywhere: what a Chinese keyboard writes is named, wherever it
// stands: in a condition, a value, a key, a cell, a header, a CSV file.
func TestFullWidthEverywhere(t *testing.T) {
	table := func(header, row string) string {
		return "ruleset: trial\nversion: 1\neffective: 2020-01-01\nhit: first\ntable:\n  - [" + header + "]\n  - [" + row + "]\notherwise: no\n"
	}
	for name, text := range map[string]string{
		"full-width comma ，":                       trialText(`product in ["a"，"b"]`, ""),
		"full-width parenthesis （":                 trialText("（ready）", ""),
		"full-width parenthesis ）":                 trialText("(ready）", ""),
		"curly quotation mark “":                   trialText("product == “a”", ""),
		"curly quotation mark ”":                   trialText("ready and ”a”", ""),
		"curly quotation mark ‘":                   trialText("product == ‘a’", ""),
		"full-width semicolon ；":                   trialText("ready； open", ""),
		"full-width colon ：":                       trialText("ready ? open ： ready", ""),
		"sign ≥":                                   trialText("count_of ≥ 1", ""),
		"sign ≤":                                   trialText("count_of ≤ 1", ""),
		"sign ≠":                                   trialText("count_of ≠ 1", ""),
		"full-width greater-than sign ＞":           trialText("count_of ＞ 1", ""),
		"full-width equals sign ＝":                 trialText("count_of ＝＝ 1", ""),
		"full-width digit １":                       trialText("count_of > １", ""),
		"full-width full stop ．":                   trialText("price > 1．5", ""),
		"ideographic full stop 。":                  trialText("price > 1。5", ""),
		"double angle bracket 《":                   trialText("product == 《a》", ""),
		"white corner bracket 『":                   trialText("product == 『a』", ""),
		"full-width apostrophe ＇":                  trialText("product == ＇a＇", ""),
		"full-width quotation mark ＂":              trialText("product == ＂a＂", ""),
		"full-width letter ａ":                      trialText("ready and ａ > 1", ""),
		"ellipsis …":                               trialText("count_of in 1…5", ""),
		"dash —":                                   trialText("count_of — 1 > 0", ""),
		"full-width space":                         trialText("ready\u3000and open", ""),
		"in a let: full-width parenthesis":         trialText("window", "let:\n  window: （count_of > 1）\n"),
		"in a cell: sign ≥":                        table("count_of, then, because", "≥ 1, yes, So."),
		"in a cell: curly quotation mark":          table("product, then, because", "“a”, yes, So."),
		"in a header: full-width paren":            table("happened（signed_for）, then, because", "true, yes, So."),
		"in a name of a column: 全":                 table("count_of, then， because", "1, yes, So."),
		"key without a space: full-width colon ：":  "ruleset： trial\nversion： 1\n",
		"a key with its colon: full-width colon ：": strings.Replace(trialText("ready", ""), "then: yes", "then：: yes", 1),
		"brackets of a list: full-width bracket 【": trialText("ready", "let:\n  kinds: 【\"a\"】\n"),
	} {
		_, err := compileText(text)
		_, want, found := strings.Cut(name, ": ")
		if !found {
			want = name
		}
		if want = strings.TrimSuffix(want, "全"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "write") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
