package market

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNotAnAccount marks a text that names no account.
var ErrNotAnAccount = errors.New("not an account")

// Account is where money lies, by the codes of the marketplace, so that people
// can read it: buyer:ann:cash, buyer:ann:coupon:C1, seller:acme:accrued,
// platform:fees. Its balance is what was posted to it less what was posted
// from it: cash that a buyer has is above zero, what a buyer owes is below.
// An account belongs to a site and holds each currency by itself.
type Account string

// Accounts of the platform.
const (
	PlatformBank    Account = "platform:bank"    // what the payment gateway took in for us; below zero by all that came in
	PlatformOpening Account = "platform:opening" // the other side of opening balances
	PlatformCoupons Account = "platform:coupons" // the other side of cash coupons that the platform issued
	PlatformCards   Account = "platform:cards"   // the other side of stored-value cards
	PlatformFees    Account = "platform:fees"    // the platform's share of what sellers earned
	PlatformDropped Account = "platform:dropped" // what rounding dropped
	PlatformShared  Account = "platform:shared"  // paid for goods of several sellers, until it is divided among them

	PlatformTaxes       Account = "platform:taxes"       // kept back of what sellers earned, for tax offices
	PlatformCollected   Account = "platform:collected"   // what the marketplace took in itself and reported as paid; below zero by all of it
	PlatformPayouts     Account = "platform:payouts"     // payments to sellers on their way to the bank
	PlatformAdjustments Account = "platform:adjustments" // the other side of what was agreed after disputes
)

// Accounts of a buyer, by the buyer's code.

// BuyerCash is what a buyer paid in and has not spent. It is never below zero.
func BuyerCash(buyer string) Account { return account("buyer", buyer, "cash") }

// BuyerCredit is what a buyer spent on credit: zero or below, and never below
// the credit limit.
func BuyerCredit(buyer string) Account { return account("buyer", buyer, "credit") }

// BuyerHeld is what is set apart for payments in doubt. It is never below zero.
func BuyerHeld(buyer string) Account { return account("buyer", buyer, "held") }

// BuyerMonthEnd is what a buyer will pay at the end of the month: zero or below.
func BuyerMonthEnd(buyer string) Account { return account("buyer", buyer, "month_end") }

// BuyerArrears is what a buyer owes because nothing covered it: zero or below.
func BuyerArrears(buyer string) Account { return account("buyer", buyer, "arrears") }

// BuyerDropped is what a buyer was spared by rounding.
func BuyerDropped(buyer string) Account { return account("buyer", buyer, "dropped") }

// BuyerVoucher is what is left of a seller's voucher. It is never below zero.
func BuyerVoucher(buyer, voucher string) Account { return account("buyer", buyer, "voucher", voucher) }

// BuyerCoupon is what is left of a cash coupon. It is never below zero.
func BuyerCoupon(buyer, coupon string) Account { return account("buyer", buyer, "coupon", coupon) }

// BuyerCard is what is left on a stored-value card. It is never below zero.
func BuyerCard(buyer, card string) Account { return account("buyer", buyer, "card", card) }

// SellerAccrued is what a seller earned and has not been settled.
func SellerAccrued(seller string) Account { return account("seller", seller, "accrued") }

// SellerPayable is what was settled for a seller and has not been paid.
func SellerPayable(seller string) Account { return account("seller", seller, "payable") }

// SellerCarried is what a seller owes from a statement that came to less than
// nothing: zero or below. The next statement takes it in.
func SellerCarried(seller string) Account { return account("seller", seller, "carried") }

// SellerVouchers is the other side of the vouchers that a seller issued: what
// is used of them goes back to it and so lowers what the seller gets.
func SellerVouchers(seller string) Account { return account("seller", seller, "vouchers") }

// accountWord is a kind of account. A floor keeps the balance of some, and
// some have a code of their own besides their owner's.
type accountWord struct{ floor, coded bool }

// accountWords are the accounts there are, by their side. A new kind of account
// is a line here; one with a floor also one in keep_balances of the database.
var accountWords = map[string]map[string]accountWord{
	"buyer": {
		"cash":    {floor: true},
		"credit":  {floor: true},
		"held":    {floor: true},
		"voucher": {floor: true, coded: true},
		"coupon":  {floor: true, coded: true},
		"card":    {floor: true, coded: true},

		"month_end": {},
		"arrears":   {},
		"dropped":   {},
	},
	"seller": {"accrued": {}, "payable": {}, "carried": {}, "vouchers": {}},
	"platform": {"bank": {}, "opening": {}, "coupons": {}, "cards": {}, "fees": {}, "dropped": {}, "shared": {},
		"taxes": {}, "collected": {}, "payouts": {}, "adjustments": {}},
}

// A code may hold a colon; in the name of an account it is written %3A.
var (
	escapeCode   = strings.NewReplacer("%", "%25", ":", "%3A")
	unescapeCode = strings.NewReplacer("%3A", ":", "%25", "%")
)

func account(parts ...string) Account {
	for i := 1; i < len(parts); i += 2 {
		if strings.ContainsAny(parts[i], "%:") {
			parts[i] = escapeCode.Replace(parts[i])
		}
	}
	return Account(strings.Join(parts, ":"))
}

// parts are side, owner, word and code of an account; the platform's have no
// owner, and few have a code.
func (a Account) parts() (side, owner, word, code string) {
	side, rest, _ := strings.Cut(string(a), ":")
	if side != "platform" {
		owner, rest, _ = strings.Cut(rest, ":")
	}
	word, code, _ = strings.Cut(rest, ":")
	return side, owner, word, code
}

// Class is the account without its codes: buyer:*:coupon:*, platform:fees.
// Accounts of one class are added up in a trial balance.
func (a Account) Class() string {
	side, _, word, code := a.parts()
	switch {
	case side == "platform":
		return string(a)
	case code != "":
		return side + ":*:" + word + ":*"
	}
	return side + ":*:" + word
}

// Owner is the code of the buyer or seller whose account it is; empty for the
// platform's.
func (a Account) Owner() string {
	_, owner, _, _ := a.parts()
	return unescapeCode.Replace(owner)
}

// Limited tells whether the account has a floor that its balance cannot pass:
// zero, or for credit the credit limit below zero.
func (a Account) Limited() bool {
	side, _, word, _ := a.parts()
	return accountWords[side][word].floor
}

// OfBuyer tells whether the account is a buyer's. Such accounts carry their
// balance with them; the others are added up from their postings.
func (a Account) OfBuyer() bool { return strings.HasPrefix(string(a), "buyer:") }

// Check answers ErrNotAnAccount for what names no account.
func (a Account) Check() error {
	side, owner, word, code := a.parts()
	known, ok := accountWords[side][word]
	colons := 1
	if side != "platform" {
		colons++
	}
	if known.coded {
		colons++
	}
	if !ok || (owner == "") != (side == "platform") || (code == "") == known.coded || strings.Count(string(a), ":") != colons {
		return fmt.Errorf("%w: %q: write it like buyer:ann:cash, seller:acme:accrued or platform:fees", ErrNotAnAccount, clip(string(a)))
	}
	return nil
}
