package rules

// The keys of every mapping of our files, in the order in which they are
// written: readers expect no others, fmt puts them into this order, and schemas
// offer them.
var (
	rulesetKeys   = []string{"ruleset", "version", "effective", "hit", "priority", "pin", "currency", "let", "overrides", "rules", "table", "otherwise"}
	ruleKeys      = []string{"name", "when", "then", "with", "because"}
	otherwiseKeys = []string{"then", "with", "because"}

	parametersKeys = []string{"let", "overrides"}
	overrideKeys   = []string{"seller", "product", "because", "from", "until", "let"}

	testKeys       = []string{"ruleset", "version", "coverage", "mutation", "as_of", "facts", "cases", "equivalent"}
	equivalentKeys = []string{"rule", "edit", "because"}
	caseKeys       = []string{"name", "as_of", "given", "expect"}
	expectKeys     = []string{"outcome", "rule", "because", "values", "due", "next", "error", "answers"}
	answerKeys     = []string{"outcome", "rule", "because", "values", "due", "next"}
	stopwatchKeys  = []string{"since", "until", "stopped"}

	siteKeys    = []string{"site", "currency", "time_zone", "calendar", "jobs"}
	jobKeys     = []string{"as_of", "days_after"}
	mappingKeys = []string{"kind", "site", "time_zone", "where", "columns"}
)
