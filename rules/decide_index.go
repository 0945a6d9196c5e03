package rules

// Limits of an index.
const (
	maxKeys     = 8  // columns it looks at
	maxPatterns = 16 // of columns that rows leave open
	maxSpread   = 32 // combinations of values that one row is found by
)

// index finds the rows of a table that can match by their keyed columns: those
// that ask a fact for fixed values. Rows that leave the same columns open are one
// pattern, and within it a row is found by its values in the others, so that
// deciding looks up one key a pattern, whatever the number of rows. It only
// leaves out rows that cannot match; those it finds are asked in full.
type index struct {
	facts    []indexedFact
	patterns []pattern
}

// indexedFact numbers the values that rows ask of one fact, from 1.
type indexedFact struct {
	kind  Kind
	text  func(*frame) string
	whole func(*frame) int64
	yes   func(*frame) bool
	texts map[string]uint32
	ints  map[int64]uint32
}

// combination is a value for each column, 0 where the pattern leaves it open.
type combination [maxKeys]uint32

// pattern is the rows that leave the same columns open.
type pattern struct {
	asks [maxKeys]bool
	rows map[combination][]int32 // in the order of the file
}

// newIndex is nil where no column can be looked up. A row whose cells would
// spread over too many combinations leaves its widest column open, and columns
// that few rows ask are left out until the patterns are few.
func newIndex(columns []*column, keys [][]key) *index {
	used := usedColumns(columns, keys)
	for ; len(used) > 0; used = used[:len(used)-1] {
		if x := indexOf(columns, used, keys); x != nil {
			return x
		}
	}
	return nil
}

// usedColumns are those that rows ask for fixed values, the most asked first.
func usedColumns(columns []*column, keys [][]key) []int {
	asked := make([]int, len(columns))
	for _, row := range keys {
		for _, k := range row {
			asked[k.column]++
		}
	}
	var used []int
	for i, n := range asked {
		at := len(used)
		for at > 0 && asked[used[at-1]] < n {
			at--
		}
		if n > 0 {
			used = append(used[:at:at], append([]int{i}, used[at:]...)...)
		}
	}
	return used[:min(len(used), maxKeys)]
}

// indexOf indexes the rows by those columns; nil where there are too many patterns.
func indexOf(columns []*column, used []int, keys [][]key) *index {
	x := &index{}
	place := map[int]int{}
	for i, at := range used {
		place[at] = i
		x.facts = append(x.facts, factOf(columns[at].operand))
	}
	patterns := map[[maxKeys]bool]int{}
	for row, asked := range keys {
		var values [maxKeys][]uint32
		for _, k := range asked {
			if i, ok := place[k.column]; ok {
				values[i] = x.facts[i].numbers(k.values)
			}
		}
		asks := narrow(&values)
		at, known := patterns[asks]
		if !known {
			if len(x.patterns) == maxPatterns {
				return nil
			}
			at = len(x.patterns)
			patterns[asks] = at
			x.patterns = append(x.patterns, pattern{asks: asks, rows: map[combination][]int32{}})
		}
		x.patterns[at].spread(&values, 0, combination{}, int32(row))
	}
	return x
}

// narrow opens the widest columns of a row until its combinations are few, and
// says which columns are still asked.
func narrow(values *[maxKeys][]uint32) (asks [maxKeys]bool) {
	for {
		product, widest := 1, 0
		for i, v := range values {
			product *= max(len(v), 1)
			if len(v) > len(values[widest]) {
				widest = i
			}
			if product > maxSpread {
				break
			}
		}
		if product <= maxSpread {
			break
		}
		values[widest] = nil
	}
	for i, v := range values {
		asks[i] = v != nil
	}
	return asks
}

// spread enters a row under each combination of its values.
func (p *pattern) spread(values *[maxKeys][]uint32, from int, c combination, row int32) {
	for from < maxKeys && values[from] == nil {
		from++
	}
	if from == maxKeys {
		if rows := p.rows[c]; len(rows) == 0 || rows[len(rows)-1] != row {
			p.rows[c] = append(rows, row)
		}
		return
	}
	for _, v := range values[from] {
		c[from] = v
		p.spread(values, from+1, c, row)
	}
}

func factOf(o *operand) indexedFact {
	f := indexedFact{kind: o.kind}
	switch o.kind {
	case KindText:
		f.text, f.texts = as[string](o), map[string]uint32{}
	case KindInt:
		f.whole, f.ints = as[int64](o), map[int64]uint32{}
	default:
		f.yes = as[bool](o)
	}
	return f
}

// numbers gives each value its number.
func (x *indexedFact) numbers(values []any) []uint32 {
	out := make([]uint32, 0, len(values))
	for _, v := range values {
		switch v := v.(type) {
		case string:
			if x.texts[v] == 0 {
				x.texts[v] = uint32(len(x.texts) + 1)
			}
			out = append(out, x.texts[v])
		case int64:
			if x.ints[v] == 0 {
				x.ints[v] = uint32(len(x.ints) + 1)
			}
			out = append(out, x.ints[v])
		default:
			out = append(out, numberOf(v == true))
		}
	}
	return out
}

func numberOf(yes bool) uint32 {
	if yes {
		return 2
	}
	return 1
}

// number is that of the fact's value now; 0 where no row asks for it.
func (x *indexedFact) number(f *frame) uint32 {
	switch x.kind {
	case KindText:
		return x.texts[x.text(f)]
	case KindInt:
		return x.ints[x.whole(f)]
	}
	return numberOf(x.yes(f))
}

// found are the rows of each pattern that can match, each in the order of the file.
func (x *index) found(f *frame, room *[maxPatterns][]int32) [][]int32 {
	var now combination
	for i := range x.facts {
		now[i] = x.facts[i].number(f)
	}
	n := 0
	for i := range x.patterns {
		p, wanted, known := &x.patterns[i], now, true
		for at := range wanted {
			if !p.asks[at] {
				wanted[at] = 0
			} else if wanted[at] == 0 {
				known = false
			}
		}
		if !known {
			continue
		}
		if rows := p.rows[wanted]; len(rows) > 0 {
			room[n] = rows
			n++
		}
	}
	return room[:n]
}

// indexed is hits by the index: the rows of all patterns, in the order of the
// file.
func (p *Policy) indexed(f *frame, out []int32) ([]int32, error) {
	var room [maxPatterns][]int32
	lists := p.index.found(f, &room)
	for {
		least := -1
		for i, list := range lists {
			if len(list) > 0 && (least < 0 || list[0] < lists[least][0]) {
				least = i
			}
		}
		if least < 0 {
			return out, nil
		}
		row := lists[least][0]
		lists[least] = lists[least][1:]
		if !p.rules[row].when(f) && f.err == nil {
			continue
		}
		if f.err != nil {
			return nil, p.trouble(int(row), f.err)
		}
		if out = append(out, row); len(out) == p.enough {
			return out, nil
		}
	}
}
