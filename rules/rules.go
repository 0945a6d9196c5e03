// Package rules turns rule files into policies and policies into decisions.
//
// Owns: the rule file format, decision tables, what each ruleset may ask and
// answer, the tests beside the rules, which version holds on a date, the
// mappings of imports.
// Does not own: where facts come from, or what a decision changes (package jobs).
// Always: a policy that compiled cannot fail on a name or a type; a decision
// depends on the policy, the facts and the as-of alone; no number in it was
// ever a float.
//
// The way through the package:
//
//	file -readDocument-> document -Parse-> Ruleset -compile-> Policy -Decide-> Answer
//	                                                             |- Since, Next: the instants at which the answer turns
//	                                                             '- Explain: what each part of a condition was worth
//
// The files, by what they are for; each group reads without the others:
//
//	read      document, ruleset, tables*, parameters*, site, versions: YAML and tables to rulesets; keys, fullwidth, suggest, problem: what is wrong, and where
//	ask       vocabulary, facts*: what each ruleset may ask and answer, and facts from and to JSON
//	compile   compile, compile_*: conditions, cells and lets to closures; hit, value
//	decide    decide, decide_*: answers, their instants, their explanation; words: explanations in sentences
//	in force  phases, inforce, released, shadow, candidate: which text decides, on which date
//	test      casefile, runner*, coverage*, cost: the cases beside the rules, and what they show
//	prove     prove_*: the search among samples that coverage, lint and mutate* stand on
//	edit      begin, format*, schema*, diff*, table_*, coming: the commands for authors
//
// A decision table (tables.go) is read as the rules that its rows stand for; one
// that lies beside the file becomes part of the text that is kept. Its rows are
// found by an index (decide_index.go) that leaves out only what cannot match.
//
// expr-lang/expr is the grammar: its parser reads every condition. Its
// numbers are int and float64, its == compares structs field by field and its
// integers wrap, so what a condition means is settled here: each node becomes
// an operand with one Kind (compile_node.go), and a closure that reads the
// facts struct in place. A property test holds the closures against expr's own
// machine for everything both can say.
package rules
