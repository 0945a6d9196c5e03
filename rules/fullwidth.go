package rules

import "strings"

// fullWidth names the punctuation that a Chinese keyboard writes in place of
// ours. It looks alike and means nothing to a program.
var fullWidth = map[rune]struct{ name, ascii string }{
	'，':      {"full-width comma ，", ","},
	'、':      {"ideographic comma 、", ","},
	'。':      {"ideographic full stop 。", "."},
	'．':      {"full-width full stop ．", "."},
	'：':      {"full-width colon ：", ":"},
	'；':      {"full-width semicolon ；", ";"},
	'（':      {"full-width parenthesis （", "("},
	'）':      {"full-width parenthesis ）", ")"},
	'【':      {"full-width bracket 【", "["},
	'】':      {"full-width bracket 】", "]"},
	'［':      {"full-width bracket ［", "["},
	'］':      {"full-width bracket ］", "]"},
	'｛':      {"full-width brace ｛", "{"},
	'｝':      {"full-width brace ｝", "}"},
	'“':      {"curly quotation mark “", `"`},
	'”':      {"curly quotation mark ”", `"`},
	'‘':      {"curly quotation mark ‘", "'"},
	'’':      {"curly quotation mark ’", "'"},
	'「':      {"corner bracket 「", `"`},
	'」':      {"corner bracket 」", `"`},
	'『':      {"white corner bracket 『", `"`},
	'』':      {"white corner bracket 』", `"`},
	'《':      {"double angle bracket 《", `"`},
	'》':      {"double angle bracket 》", `"`},
	'＂':      {"full-width quotation mark ＂", `"`},
	'＇':      {"full-width apostrophe ＇", "'"},
	'…':      {"ellipsis …", ".."},
	'—':      {"dash —", "-"},
	'–':      {"dash –", "-"},
	'−':      {"minus sign −", "-"},
	'＝':      {"full-width equals sign ＝", "="},
	'＞':      {"full-width greater-than sign ＞", ">"},
	'＜':      {"full-width less-than sign ＜", "<"},
	'≥':      {"sign ≥", ">="},
	'≤':      {"sign ≤", "<="},
	'≠':      {"sign ≠", "!="},
	'！':      {"full-width exclamation mark ！", "!"},
	'？':      {"full-width question mark ？", "?"},
	'＋':      {"full-width plus sign ＋", "+"},
	'－':      {"full-width minus sign －", "-"},
	'＊':      {"full-width asterisk ＊", "*"},
	'×':      {"multiplication sign ×", "*"},
	'／':      {"full-width slash ／", "/"},
	'÷':      {"division sign ÷", "divide(a, b, places, \"half up\")"},
	'％':      {"full-width percent sign ％", "%"},
	'＆':      {"full-width ampersand ＆", "&"},
	'｜':      {"full-width vertical bar ｜", "|"},
	'＃':      {"full-width number sign ＃", "#"},
	'＿':      {"full-width underscore ＿", "_"},
	'￥':      {"yen sign ￥", "the currency behind the amount, such as 99.00 CNY"},
	'¥':      {"yen sign ¥", "the currency behind the amount, such as 99.00 CNY"},
	'\u3000': {"full-width space", "an ordinary space"},
	'\u00a0': {"no-break space", "an ordinary space"},
	'\u200b': {"invisible zero-width space", "nothing"},
	'\ufeff': {"invisible byte order mark", "nothing"},
}

// findFullWidth is the first full-width character of text that does not stand
// between quotation marks: its position in runes, its name, and what to write
// instead. The position is -1 where there is none.
func findFullWidth(text string) (at int, name, ascii string) {
	var quote rune
	escaped := false
	for i, r := range []rune(text) {
		switch {
		case escaped:
			escaped = false
		case quote != 0 && r == '\\' && quote != '`':
			escaped = true
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case strings.ContainsRune("\"'`", r):
			quote = r
		case r >= '０' && r <= '９':
			return i, "full-width digit " + string(r), string('0' + r - '０')
		case r >= 'Ａ' && r <= 'Ｚ' || r >= 'ａ' && r <= 'ｚ':
			return i, "full-width letter " + string(r), string(r - 'Ａ' + 'A')
		default:
			if f, ok := fullWidth[r]; ok {
				return i, f.name, f.ascii
			}
		}
	}
	return -1, "", ""
}

func fullWidthHint(name, ascii string) string {
	return "the " + name + " is not a character of the rule language: write " + ascii
}
