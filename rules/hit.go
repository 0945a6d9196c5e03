package rules

import (
	"fmt"
	"slices"
)

// HitPolicy says which matches count. It is always written in the file. The
// words and their meaning are those of DMN.
type HitPolicy string

// The hit policies. Where no rule matches, otherwise answers alone.
const (
	HitFirst    HitPolicy = "first"    // the first rule that matches, in the order of the file
	HitUnique   HitPolicy = "unique"   // at most one rule may match; two park the candidate
	HitAny      HitPolicy = "any"      // several may match if they answer the same; two answers park the candidate
	HitPriority HitPolicy = "priority" // of those that match, the first with the highest outcome

	// Several answers.
	HitRuleOrder   HitPolicy = "rule order"   // all that match, in the order of the file
	HitOutputOrder HitPolicy = "output order" // all that match, the highest outcome first
	HitCollect     HitPolicy = "collect"      // all that match, in no order that means anything; it is that of the file

	// One answer made of all that match, equal ones counting as often as they come.
	HitSum   HitPolicy = "collect sum"
	HitMin   HitPolicy = "collect min"
	HitMax   HitPolicy = "collect max"
	HitCount HitPolicy = "collect count"
)

var hitPolicies = []HitPolicy{HitFirst, HitUnique, HitAny, HitPriority, HitRuleOrder, HitOutputOrder, HitCollect, HitSum, HitMin, HitMax, HitCount}

// Several tells whether a policy can give several answers about one candidate,
// so that DecideAll has to be asked.
func (h HitPolicy) Several() bool {
	return h == HitRuleOrder || h == HitOutputOrder || h == HitCollect
}

// aggregates tells whether the answer is computed from those of all matches.
func (h HitPolicy) aggregates() bool {
	return h == HitSum || h == HitMin || h == HitMax || h == HitCount
}

// joins tells whether one answer is that of all matches together.
func (h HitPolicy) joins() bool { return h == HitAny || h == HitSum || h == HitCount }

// ranks tells whether the order of outcomes counts.
func (h HitPolicy) ranks() bool { return h == HitPriority || h == HitOutputOrder }

// enough is how many matches settle the answer; 0 where all are needed.
func (h HitPolicy) enough() int {
	switch h {
	case HitFirst:
		return 1
	case HitUnique:
		return 2
	}
	return 0
}

func (s *section) hit() HitPolicy {
	text := s.word("hit")
	var policies []string
	for _, h := range hitPolicies {
		policies = append(policies, string(h))
	}
	if text != "" && !slices.Contains(policies, text) {
		s.doc.problem(s.fields["hit"], "", fmt.Sprintf("unknown hit policy %q", clip(text)), didYouMean(text, policies))
	}
	return HitPolicy(text)
}

// priority reads the outcomes in their order. It stands in the file where the
// hit policy asks for it, and nowhere else.
func (s *section) priority(hit HitPolicy) []string {
	n := s.fields["priority"]
	switch {
	case n == nil && hit.ranks():
		s.doc.problem(s.fields["hit"], "", "hit policy "+string(hit)+" needs the order of the outcomes", "add priority: with a list of them, the highest first")
	case n != nil && !hit.ranks() && hit != "":
		s.doc.problem(n, "", "hit policy "+string(hit)+" has no use for a priority", "leave it out, or use hit: priority or hit: output order")
	}
	var out []string
	for _, item := range s.doc.items(n, "priority") {
		word, ok := s.doc.scalar(item, "an outcome")
		if slices.Contains(out, word) {
			s.doc.problem(item, "", "priority has "+clip(word)+" twice", "keep one")
		}
		if ok {
			out = append(out, word)
		}
	}
	return out
}
