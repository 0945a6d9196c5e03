package rules

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// appendText appends s as a JSON string. Bytes that are not UTF-8 become the
// replacement character, as encoding/json does.
func appendText(buf []byte, s string) []byte {
	buf = append(buf, '"')
	from := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' {
				i++
				continue
			}
			buf = append(buf, s[from:i]...)
			switch c {
			case '"', '\\':
				buf = append(buf, '\\', c)
			case '\n':
				buf = append(buf, `\n`...)
			default:
				buf = append(buf, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			buf = append(buf, s[from:i]...)
			buf = utf8.AppendRune(buf, utf8.RuneError)
			from = i + size
		}
		i += size
	}
	return append(append(buf, s[from:]...), '"')
}

// appendTexts appends a list of texts as a JSON array.
func appendTexts(buf []byte, list []string) []byte {
	buf = append(buf, '[')
	for i, s := range list {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = appendText(buf, s)
	}
	return append(buf, ']')
}
