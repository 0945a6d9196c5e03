package rules

import (
	"fmt"
	"strings"
)

// Lines are a change in words: the first says what it is, those below it, if
// any, how it was and how it is. What differs of a condition stands between
// » and «.
func (c Change) Lines() []string {
	who := c.Subject
	switch {
	case c.Subject == "file" && c.Name == "":
		who = ""
	case c.Subject == "parameter":
		who = c.Name
	case c.Name != "" && c.Subject != "otherwise":
		who += fmt.Sprintf(" %q", c.Name)
	}
	if c.Subject == "override" {
		who = c.Name
	}
	switch c.What {
	case "added":
		return c.whole(who+" is new", c.After)
	case "removed":
		return c.whole(who+" is gone", c.Before)
	case "renamed":
		return []string{fmt.Sprintf("%s was called %q", who, c.Before)}
	case "moved":
		return []string{fmt.Sprintf("%s stands %s, no longer %s", who, quotedPlace(c.After), quotedPlace(c.Before))}
	case "value":
		return []string{fmt.Sprintf("%s: %s → %s%s", who, orNothing(c.Before), orNothing(c.After), c.askers())}
	case "condition":
		return c.condition(who)
	case "reason":
		return []string{who + ": the reason", "was  " + c.Before, "is   " + c.After}
	}
	says := fmt.Sprintf("%s: %s → %s", c.What, orNothing(c.Before), orNothing(c.After))
	if who != "" {
		says = who + ": " + says
	}
	return []string{says}
}

// quotedPlace puts the name of the rule that stands before into quotation marks.
func quotedPlace(where string) string {
	if name, ok := strings.CutPrefix(where, "behind "); ok {
		return fmt.Sprintf("behind %q", name)
	}
	return where
}

func orNothing(text string) string {
	if text == "" {
		return "nothing"
	}
	return text
}

// mostNamed is how many rules a line names.
const mostNamed = 5

func (c Change) askers() string {
	if len(c.AskedBy) == 0 {
		return ""
	}
	names, more := c.AskedBy, ""
	if len(names) > mostNamed {
		names, more = names[:mostNamed], fmt.Sprintf(" and %d more", len(names)-mostNamed)
	}
	return fmt.Sprintf(" (asked by %s%s)", strings.Join(names, ", "), more)
}

func (c Change) whole(says, text string) []string {
	switch {
	case text == "":
		return []string{says}
	case c.Subject == "rule" || c.Subject == "row":
		return []string{says, text}
	}
	return []string{says + ": " + text + c.askers()}
}

// condition says what a condition asks differently, then the whole of it, before
// and after, what differs marked.
func (c Change) condition(who string) []string {
	if len(c.Parts) == 0 {
		return []string{who + ": the condition asks the same in another order", "was  " + c.Before, "is   " + c.After}
	}
	out := []string{who + ": the condition"}
	before, after := c.Before, c.After
	for _, part := range c.Parts {
		switch {
		case part.Before == "":
			out = append(out, "asks besides "+part.After)
		case part.After == "":
			out = append(out, "asks no more "+part.Before)
		default:
			out = append(out, part.Before+" → "+part.After)
		}
		before, after = marked(before, part.Before), marked(after, part.After)
	}
	return append(out, "was  "+before, "is   "+after)
}

func marked(text, part string) string {
	if part == "" || part == text {
		return text
	}
	return strings.Replace(text, part, "»"+part+"«", 1)
}
