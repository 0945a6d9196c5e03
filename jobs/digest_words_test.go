package jobs

import (
	"regexp"
	"testing"
)

func TestChineseSentencesHaveTheValuesOfTheEnglishOnesInTheirOrder(t *testing.T) {
	verbs := regexp.MustCompile(`%[a-z]`)
	for english, chinese := range inChinese {
		want, got := verbs.FindAllString(english, -1), verbs.FindAllString(chinese, -1)
		if len(want) != len(got) {
			t.Errorf("%q has %v, %q has %v", english, want, chinese, got)
			continue
		}
		for i := range want {
			if want[i] != got[i] {
				t.Errorf("%q and %q differ at value %d", english, chinese, i+1)
			}
		}
	}
	for _, l := range timetable {
		if inChinese[Counted(l.name)] == "" {
			t.Errorf("what %s counts, %s, has no Chinese", l.name, Counted(l.name))
		}
	}
}
