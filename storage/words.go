package storage

// words keeps texts that come again and again once. It is made for one reading:
// what is unique does not belong in it.
type words map[string]string

// known scans a text that may have come before; null is empty.
type known struct {
	text  string
	words words
}

func (w words) scan() *known { return &known{words: w} }

// ScanBytes is called by pgx with bytes that are valid for this row only.
func (k *known) ScanBytes(b []byte) error {
	text, ok := k.words[string(b)]
	if !ok {
		text = string(b)
		k.words[text] = text
	}
	k.text = text
	return nil
}
