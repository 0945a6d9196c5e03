package market

// States of a statement, in the order of its way: draft → in review → (to
// confirm) → to countersign → payable → paid or payment failed. It may be
// disputed until it is payable, and where nothing is due it ends there.
const (
	StatementDraft         = "draft"
	StatementInReview      = "in_review"
	StatementToConfirm     = "to_confirm" // the seller has to confirm it
	StatementToCountersign = "to_countersign"
	StatementDisputed      = "disputed"
	StatementPayable       = "payable"
	StatementNothingToPay  = "nothing_to_pay"
	StatementPaid          = "paid"
	StatementPaymentFailed = "payment_failed"
)
