package rules

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// didYouMean is the hint for a word that is not among the known ones: the
// nearest of them, or, where none is near and they are few, all of them.
func didYouMean(word string, known []string) string {
	const longestGuess, longestList = 64, 16
	if len(known) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(known))
	if len(word) <= longestGuess {
		if near, ok := nearest(word, sorted); ok {
			return "did you mean " + near + "?"
		}
	}
	if len(sorted) <= longestList {
		return "use " + oneOf(sorted)
	}
	return ""
}

// guessed is didYouMean behind a mark, or nothing where there is no guess.
func guessed(mark, word string, known []string) string {
	if guess := didYouMean(word, known); guess != "" {
		return mark + guess
	}
	return ""
}

// nearest is the known word that takes the fewest edits to reach, if they are
// few for its length.
func nearest(word string, known []string) (string, bool) {
	best, edits := "", len(word)
	for _, k := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(k)); d < edits {
			best, edits = k, d
		}
	}
	return best, best != "" && edits <= max(1, (len(best)+1)/3)
}

// oneOf writes words as "a, b or c".
func oneOf(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
