package main

import (
	"fmt"
	"strings"

	"nightshift/rules"
)

// treeOf draws the rules with each part of their conditions and its value.
func (t telling) treeOf(told []rules.RuleExplanation) string {
	var b strings.Builder
	for i, r := range told {
		mark := t.say("no ")
		if r.Matched {
			mark = t.say("yes")
		}
		branch(&b, "    ", i == len(told)-1, fmt.Sprintf("%s  %s: %s", mark, calledBy(r), t.Outcome(r.Outcome)), []rules.Part{r.Tree})
	}
	return b.String()
}

// branch draws a line and what hangs below it.
func branch(b *strings.Builder, indent string, last bool, text string, parts []rules.Part) {
	here, below := "├─ ", "│  "
	if last {
		here, below = "└─ ", "   "
	}
	b.WriteString(indent + here + text + "\n")
	for i, part := range parts {
		branch(b, indent+below, i == len(parts)-1, oneLine(part.Text)+" = "+part.Value, part.Parts)
	}
}

// oneLine is a condition that its author wrote over several lines.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
