package market

import "time"

// Requests for a refund: who asks, and how.
const (
	RefundUnconditional = "unconditional" // the buyer alone, within the first days
	RefundNegotiated    = "negotiated"    // buyer and seller have agreed
	RefundFailed        = "failed"        // the order could not be provisioned
	RefundGranted       = "granted"       // operations grant it, with a reason
	RefundReturn        = "return"        // hardware is sent back, with the seller's approval
)

// RefundRequest asks money back for an order that was deducted.
type RefundRequest struct {
	ID          int64
	Code        string
	Request     string
	Amount      Money // zero without a currency: all that was paid
	RequestedAt time.Time
	At          time.Time // when it takes effect: the request, or the seller's agreement
	Order       Order
	SellerID    int64
	Seller      string
	Product     string

	Paid     []Source  // of the order's deduction, in the order in which they paid
	Before   Money     // what was given back of it before
	Since    time.Time // when the order took effect; zero where it has not
	Until    time.Time // when the term that was paid for ends; zero where it has none
	Watched  bool      // its delivery is or was under supervision
	Ended    time.Time // when its supervision was completed; zero while it is not
	Taken    time.Time // when the buyer collected the authorisation code
	ThisYear int64     // unconditional refunds of the buyer in the calendar year of the request

	Return *Return // of hardware that is sent back; nil for others
}

// Ends tells whether nobody asked: the order ended, and all of it goes back.
func (r *RefundRequest) Ends() bool { return r.ID < 0 }

// Return is the way of hardware back to its seller. What has not happened is
// zero.
type Return struct {
	ApprovedAt time.Time // by the seller: it may be sent back
	SentAt     time.Time // the buyer entered its logistics
	TakenAt    time.Time // the seller accepted what came back,
	ObjectedAt time.Time // or objected to it
	Appeals    []Appeal  // of its order; they stop the clocks
}

// RefundResult is what became of a request, for good.
type RefundResult struct {
	RefundID    int64
	OrderID     int64
	BuyerID     int64
	Request     string
	Outcome     string // refund, refuse, or withdraw where the buyer did not send it back
	Rule        string
	Because     string
	Amount      Money // what was given back; zero where it was refused
	RequestedAt time.Time
	At          time.Time
	Facts       []byte
}

// Journal books what goes back, under a key. before is what the same run gave
// back of the order already. What was paid with borrowed money goes back to its
// account as far as it is still owed there; the rest, since repaid, is cash.
func (r *RefundRequest) Journal(key string, before Decimal, amount Money, books *Books) Journal {
	j := Journal{Key: key, Memo: "Refund of " + r.Order.Code, At: r.At}
	for _, s := range GiveBack(r.Paid, r.Before.Amount.Add(before), amount.Amount) {
		from := s.Returns
		if from == "" {
			from = (&Deduction{Seller: r.Seller}).earns()
		}
		back := s.Amount
		switch s.Kind {
		case Credit, MonthEnd, Arrears:
			if back = books.Balance(s.Account, s.Amount.Currency).Neg().least(s.Amount); back.Amount.Sign() < 0 {
				back.Amount = Decimal{}
			}
			j.Post(from, BuyerCash(s.Account.Owner()), s.Amount.less(back))
		}
		j.Post(from, s.Account, back)
	}
	return j
}

// GiveBack says from which sources of a payment an amount goes back, the last
// that paid first. before is what went back already.
func GiveBack(paid []Source, before, amount Decimal) []Source {
	var back []Source
	for i := len(paid) - 1; i >= 0 && amount.Sign() > 0; i-- {
		s := paid[i]
		if before.Cmp(s.Amount.Amount) >= 0 {
			before = before.Sub(s.Amount.Amount)
			continue
		}
		left := s.Amount.Amount.Sub(before)
		before = Decimal{}
		if left.Cmp(amount) > 0 {
			left = amount
		}
		s.Amount.Amount, amount = left, amount.Sub(left)
		back = append(back, s)
	}
	return back
}
