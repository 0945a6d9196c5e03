package rules

// TestReport is what became of the test files beside the rules.
type TestReport struct {
	Cases    int      // cases run
	Failed   int      // of these
	Rules    int      // rules, otherwise included, of all versions
	Hit      int      // of these, by some case
	Problems Problems // each failed case, each rule no case hits, and what is wrong with the files

	Site  string        // of one site: its name
	Sites []*TestReport // of a directory: each site's

	shown []shown
}

// shown is what the cases have shown of one policy.
type shown struct {
	site   *Site
	policy *Policy
	seen   *seen
}

// Coverage is that of each rule file, in the order of sites and rulesets.
func (r *TestReport) Coverage() []*Coverage {
	out := make([]*Coverage, 0, len(r.shown))
	for _, s := range r.shown {
		out = append(out, s.site.coverage(s.policy, s.seen))
	}
	return out
}

// Err is the problems as an error; nil where every test passed.
func (r *TestReport) Err() error { return r.Problems.err() }

// add counts another report in.
func (r *TestReport) add(other *TestReport) {
	r.Cases += other.Cases
	r.Failed += other.Failed
	r.Rules += other.Rules
	r.Hit += other.Hit
	r.Problems = append(r.Problems, other.Problems...)
	r.shown = append(r.shown, other.shown...)
}
