package rules

// The keys of every mapping of our files, in the order in which they are
// written: readers expect no others, fmt puts them into this order, and schemas
// offer them.
var (
	rulesetKeys   = []string{"ruleset", "shadow", "version", "effective", "hit", "priority", "pin", "currency", "let", "overrides", "rules", "table", "otherwise"}
	ruleKeys      = []string{"name", "when", "then", "with", "because"}
	otherwiseKeys = []string{"then", "with", "because"}

	parametersKeys = []string{"let", "overrides"}
	overrideKeys   = []string{"seller", "product", "because", "from", "until", "let"}

	testKeys       = []string{"ruleset", "shadow", "version", "coverage", "mutation", "as_of", "facts", "cases", "equivalent"}
	equivalentKeys = []string{"rule", "edit", "because"}
	caseKeys       = []string{"name", "as_of", "given", "expect"}
	expectKeys     = []string{"outcome", "rule", "because", "values", "due", "next", "error", "answers"}
	answerKeys     = []string{"outcome", "rule", "because", "values", "due", "next"}
	stopwatchKeys  = []string{"since", "until", "stopped"}

	siteKeys    = []string{"site", "currency", "time_zone", "calendar", "shares", "jobs", "keep"}
	keepKeys    = []string{"documents", "shards", "history"}
	jobKeys     = []string{"as_of", "days_after", "every", "days", "after", "needs", "deadline", "wake", "catch_up", "catch_up_most", "overlap"}
	needKeys    = []string{"files", "most_files", "rows", "most_rows", "within", "until"}
	mappingKeys = []string{"kind", "site", "time_zone", "where", "columns"}
)

// keyMeans is what each key is for, as editors show it.
var keyMeans = map[string]string{
	"ruleset":   "Which question the file answers.",
	"shadow":    "true: the file is decided beside the ruleset in force every night and its differences are kept, never acted on; in a test file: the cases are of such a file.",
	"version":   "Raise it with every change that is to hold from a new date.",
	"effective": "The first business date on which this version holds.",
	"hit":       "Which of the rules that match counts: first, the first in the file; unique, no two may match.",
	"priority":  "The outcomes, the highest first, where the hit policy asks for them.",
	"pin":       "order: an order keeps the version that held when it was placed.",
	"currency":  "Of amounts without one; the site's where it is left out.",
	"let":       "Values with a name, such as acceptance_window: 10d. A text stands in quotation marks; {2020-01-01: 10d, 2026-07-01: 7d} changes on a date.",
	"overrides": "For whom parameters have other values.",
	"rules":     "Conditions with their outcomes, in their order.",
	"rows":      "How many rows at least, in all files together.",
	"table":     "A decision table: a file beside this one (fees.csv, fees.xlsx#2026), or its rows, the header first.",
	"otherwise": "The outcome where no rule matches.",

	"name":    "What the rule, or the case, is called; decisions are kept by it.",
	"when":    "The condition, an expression of facts and lets.",
	"then":    "The outcome.",
	"with":    "Values that the outcome carries. A text stands in quotation marks.",
	"because": "The reason, a sentence for buyers and sellers.",

	"seller":  "The seller, or the sellers, by code.",
	"product": "The product, or the products, by code.",
	"from":    "The first business date on which it holds.",
	"until":   "The first business date on which it holds no more; of a need, the local time after which a night does not begin by itself.",

	"coverage":   "The percentage of conditions that the cases have to show both ways.",
	"mutation":   "The percentage of small edits of the rules that the cases have to notice.",
	"as_of":      "The instant at which is decided, on the clock of the site; of a job, its local time.",
	"facts":      "The facts that all cases share.",
	"cases":      "Facts, and what is expected of them.",
	"equivalent": "Edits that no case can notice, each with the reason.",
	"edit":       "The edit, as it is listed.",
	"given":      "Facts of this case, in place of the shared ones.",
	"expect":     "What the rules have to answer.",

	"outcome": "The word it answers with.",
	"rule":    "The name of the rule that answers; otherwise where none matches.",
	"values":  "What the outcome carries.",
	"due":     "Since when the answer holds.",
	"next":    "When the answer can change; none where never.",
	"error":   "A part of the reason why it cannot be decided.",
	"answers": "Several answers, where the hit policy gives them.",
	"since":   "The instant from which it runs.",
	"stopped": "The spans for which it stood still: [[from, to]].",

	"site":       "The name of the site.",
	"time_zone":  "An IANA name, such as Asia/Shanghai.",
	"calendar":   "The file of working days beside this one.",
	"shares":     "The rulesets that are those of the default site, such as [waterfall, payment].",
	"jobs":       "The jobs that the site runs.",
	"days_after": "How many days after the business date the job decides.",
	"catch_up":   "What becomes of nights that were missed: each is run, or once the last of them alone.",

	"days":          "The business dates of a job that runs for days: each of them, or working days.",
	"every":         "What a run is for: a day, or a month, which is run on its bill day.",
	"after":         "The jobs that have to be completed first, in the same night.",
	"needs":         "The imports that have to be there first, by kind.",
	"deadline":      "The local time by which a night is to be done; an alarm comes before.",
	"wake":          "When the job is woken, as a cron expression on the clock of the site; at its as_of where it is left out.",
	"catch_up_most": "How many missed nights are caught up without a person; 31 where it is left out.",
	"overlap":       "Of a wake that comes while the job runs: wait, it follows at once; skip, the next one does its work.",
	"most_files":    "How many files at most: with more a night waits for a person.",
	"most_rows":     "How many rows at most, in all files together: with more a night waits for a person.",
	"files":         "How many files at least; 1 where it is left out.",
	"within":        "How long before as_of they may have been taken in; 24h where it is left out.",

	"keep":      "How long things are kept, such as 400d; forever where it is left out.",
	"documents": "Workbooks and statements of runs: they can be written again from history.",
	"shards":    "How completed runs were divided.",
	"history":   "Decisions and notices, before they leave for the archive.",

	"kind":    "What the file of an import holds.",
	"where":   "Which rows are taken.",
	"columns": "Our columns, each an expression over theirs.",
}
