package intake

// payoutKinds are the files that paying sellers lives on.
var payoutKinds = []Kind{
	{Name: "bank_accounts", table: "bank_accounts", Key: []string{"code"}, Once: []string{"changed_at", "holder"},
		About: "Where sellers are paid, and where the platform pays from. Each change is a row of its own: an account never changes once it is there.",
		holds: bankAccountHolds, Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the marketplace's number of the registration"},
			{Name: "seller", Type: Code, Refers: "sellers", About: "whose account it is; empty: the platform's own, that payments come from"},
			{Name: "holder", Type: Text, Required: true, About: "the holder's name, as the bank has it"},
			{Name: "iban", Type: Code, About: "without blanks"},
			{Name: "number", Type: Code, About: "of an account that has no IBAN"},
			{Name: "bic", Type: Code, About: "of the bank that keeps it"},
			{Name: "bank_number", Type: Code, About: "the bank's number in its country's clearing, such as a CNAPS code"},
			{Name: "country", Type: Code, About: "the holder's, two capitals, such as CN"},
			{Name: "changed_at", Type: Instant, Required: true, About: "from when on it holds"},
		}},
}

// bankAccountHolds: an account has an IBAN or a number.
func bankAccountHolds(has func(string) bool, _ func(string) string) (column, reason string) {
	switch {
	case !has("iban") && !has("number"):
		return "iban", "is empty, and so is number: an account has one of them"
	case has("iban") && has("number"):
		return "number", "is filled in beside the IBAN: an account has one of them"
	}
	return "", ""
}
