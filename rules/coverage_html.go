package rules

import (
	"fmt"
	"html/template"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// WriteCoverage writes a page that shows each rule file with its leaves coloured
// by what the tests have seen of them. It needs nothing beside it and no script.
func WriteCoverage(w io.Writer, coverage []*Coverage) error {
	files := make([]pageFile, 0, len(coverage))
	for _, c := range coverage {
		files = append(files, c.page())
	}
	if err := coveragePage.Execute(w, files); err != nil {
		return fmt.Errorf("write the coverage page: %w", err)
	}
	return nil
}

// pageFile is a rule file as the page shows it.
type pageFile struct {
	*Coverage
	Lines []pageLine
	Rows  []pageRow // of a table, each with its leaves
}

type pageLine struct {
	Number int
	Parts  []pagePart
}

type pageRow struct {
	Name   string
	Leaves []pagePart
}

// pagePart is a stretch of text; without a class it is not part of a leaf.
type pagePart struct{ Class, Title, Text string }

func (l *Leaf) part(text string) pagePart {
	said := func(seen, never bool) string {
		switch {
		case seen:
			return "seen"
		case never:
			return "not possible here"
		}
		return "not seen"
	}
	yes, no := l.True || l.NeverTrue, l.False || l.NeverFalse
	class := "none"
	switch {
	case yes && no:
		class = "both"
	case yes || no:
		class = "half"
	}
	return pagePart{class, "true: " + said(l.True, l.NeverTrue) + ", false: " + said(l.False, l.NeverFalse), text}
}

func (c *Coverage) page() pageFile {
	page := pageFile{Coverage: c}
	lines := strings.Split(strings.TrimSuffix(c.policy.source, "\n"), "\n")
	d := &document{name: c.File, lines: lines}
	leafAt := map[[2]int]*Leaf{}
	for i := range c.all {
		l := &c.all[i]
		if l.row {
			if n := len(page.Rows); n == 0 || page.Rows[n-1].Name != l.Rule {
				page.Rows = append(page.Rows, pageRow{Name: l.Rule})
			}
			row := &page.Rows[len(page.Rows)-1]
			row.Leaves = append(row.Leaves, l.part(l.Text))
			continue
		}
		for _, at := range d.cover(l.at) {
			leafAt[at] = l
		}
	}
	for i, line := range lines {
		out := pageLine{Number: i + 1}
		var last *Leaf
		for column, r := range []rune(line) {
			l := leafAt[[2]int{i + 1, column + 1}]
			if n := len(out.Parts); n > 0 && l == last {
				out.Parts[n-1].Text += string(r)
				continue
			}
			last = l
			part := pagePart{Text: string(r)}
			if l != nil {
				part = l.part(string(r))
			}
			out.Parts = append(out.Parts, part)
		}
		page.Lines = append(page.Lines, out)
	}
	return page
}

// cover is the line and column of each character of a place.
func (d *document) cover(at place) [][2]int {
	if at.node == nil || at.node.Kind != yaml.ScalarNode {
		return nil
	}
	var out [][2]int
	line, column := d.place(at.node, at.from)
	end, last := d.place(at.node, at.to-1)
	for ; line <= end && line <= len(d.lines); line, column = line+1, 1 {
		most := len([]rune(d.lines[line-1]))
		if line == end {
			most = min(most, last)
		}
		for ; column <= most; column++ {
			out = append(out, [2]int{line, column})
		}
	}
	return out
}

var coveragePage = template.Must(template.New("coverage").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Coverage of the rules</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em; color: #222; background: #fff }
table { border-collapse: collapse } td, th { text-align: left; padding: .1em 1.2em .1em 0 } td.n { text-align: right }
pre { font: 13px/1.5 ui-monospace, monospace; background: #f7f7f5; padding: 1em; overflow-x: auto }
pre i { font-style: normal; color: #999; user-select: none }
.both { background: #d8f0d8 } .half { background: #ffe9b0; border-bottom: 2px dashed #b37400 } .none { background: #ffd0cc; border-bottom: 2px solid #b3261e }
</style>
<h1>Coverage of the rules</h1>
<p>A leaf is a part of a condition that is true or false by itself. <span class="both">Seen true and false</span>, <span class="half">seen one way only</span>, <span class="none">never asked</span>. What is proven to be impossible counts as seen.
<table>
<tr><th>file<th>rules<th>leaves<th>covered
{{range .}}<tr><td><a href="#{{.File}}">{{.File}}</a><td class="n">{{.Hit}}/{{.Rules}}<td class="n">{{.Both}}/{{.Leaves}}<td class="n">{{if .Measured}}{{.Percent}} %{{else}}too large{{end}}
{{end}}</table>
{{range .}}
<h2 id="{{.File}}">{{.File}}</h2>
<p>{{.Ruleset}}, version {{.Version}}: {{.Hit}} of {{.Rules}} rules, {{.Both}} of {{.Leaves}} leaves.
{{if or .Unhit .Gaps}}<ul>
{{range .Unhit}}<li>no test hits rule “{{.}}”
{{end}}{{range .Gaps}}<li>{{if .Cell}}cell {{.Cell}}{{else}}line {{.Line}}{{end}}, rule “{{.Rule}}”: {{.Message}}
{{end}}</ul>
{{end}}<pre>{{range .Lines}}<i>{{printf "%4d" .Number}}</i>  {{range .Parts}}{{if .Class}}<span class="{{.Class}}" title="{{.Title}}">{{.Text}}</span>{{else}}{{.Text}}{{end}}{{end}}
{{end}}</pre>
{{with .Rows}}<table>
{{range .}}<tr><td>{{.Name}}<td>{{range .Leaves}}<span class="{{.Class}}" title="{{.Title}}">{{.Text}}</span> {{end}}
{{end}}</table>
{{end}}{{end}}</html>
`))
