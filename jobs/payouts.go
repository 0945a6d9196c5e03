package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"nightshift/jobs/bank"
	"nightshift/rules"
	"nightshift/rules/market"
	"nightshift/storage"
)

// payoutRuleset says whether a statement is paid with the next file.
const payoutRuleset = "payout"

// Outcomes of the payout rules.
const (
	payoutPay     = "pay"
	payoutApprove = "approve"
	payoutHold    = "hold"
)

// PayoutAsk asks for payment files of what is payable.
type PayoutAsk struct {
	Site      string
	Period    int      // YYYYMM; 0: of every period
	Sellers   []string // by code; none: all
	ExecuteOn market.Date
	Latin     bool // names are written in Latin letters
	Actor     string
	At        time.Time
	DryRun    bool // nothing is kept
}

// PayoutDecision is what the rules say of one payable statement.
type PayoutDecision struct {
	storage.StatementStand
	Outcome string
	Rule    string
	Because string
}

// PayoutFiles are the files that were written, one a currency, and what was not paid.
type PayoutFiles struct {
	Files []storage.Payout
	Left  []PayoutDecision // of what is payable, and why not
}

// Payout orders what is payable from the bank: it decides about each statement,
// keeps the files with their references and books each payment. A statement
// whose payment is with the bank is not paid again, whoever asks.
func (e *Engine) Payout(ctx context.Context, ask PayoutAsk) (out PayoutFiles, err error) {
	site, err := e.inForce(ctx, ask.Site)
	if err != nil {
		return out, err
	}
	if ask.Actor == "" {
		return out, fmt.Errorf("%w: pay: nobody is named as ordering it: name yourself with --actor", ErrBadRequest)
	}
	if ask.ExecuteOn == 0 {
		ask.ExecuteOn = market.DateOf(ask.At, site.Zone)
	}
	if err := e.Store.EnsureMonth(ctx, market.DateOf(ask.At, site.Zone)); err != nil {
		return out, err
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		out = PayoutFiles{}
		if err := tx.Serialise(ctx, payoutLock(ask.Site)); err != nil {
			return err
		}
		p := &payer{PayoutAsk: ask, site: site}
		if err := p.read(ctx, tx); err != nil {
			return err
		}
		if err := p.decide(); err != nil {
			return err
		}
		out.Left = p.left
		if out.Files, err = p.files(ctx, tx); err != nil || ask.DryRun {
			return err
		}
		return p.keep(ctx, tx, out.Files)
	})
	return out, err
}

// payer decides what is paid.
type payer struct {
	PayoutAsk
	site      *rules.Site
	list      []storage.StatementStand
	accounts  map[int64]storage.BankAccount
	paused    map[int64]bool
	approvals map[[3]int64]storage.StatementMove

	pay  []PayoutDecision
	left []PayoutDecision
}

func (p *payer) read(ctx context.Context, tx *storage.Tx) (err error) {
	if p.list, err = tx.Statements(ctx, storage.StatementQuery{Site: p.Site, Period: p.Period, Sellers: p.Sellers, States: []string{market.StatementPayable}}); err != nil {
		return err
	}
	if p.accounts, err = tx.BankAccounts(ctx, p.Site, p.At); err != nil {
		return err
	}
	if p.paused, err = tx.Paused(ctx, p.Site); err != nil {
		return err
	}
	p.approvals, err = tx.Approvals(ctx, p.Site)
	return err
}

func (p *payer) decide() error {
	policy, err := p.site.Policy(payoutRuleset, market.DateOf(p.At, p.site.Zone))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	for _, s := range p.list {
		if s.OnItsWay() {
			continue
		}
		account, has := p.accounts[s.SellerID]
		approval, approved := p.approvals[s.ApprovalKey()]
		facts := rules.PayoutFacts{Seller: s.Seller, Amount: s.Money(s.Payout), Paused: p.paused[0] || p.paused[s.SellerID], HasAccount: has,
			Approved: approved && approval.Actor != p.Actor, Failures: int64(s.Failures())}
		if has && !account.First {
			facts.ChangedFor = market.StartedAt(account.ChangedAt)
		}
		answer, err := policy.Decide(&facts, p.At)
		if err != nil {
			return fmt.Errorf("decide whether %s of %s is paid: %w", s.Period, s.Seller, err)
		}
		d := PayoutDecision{StatementStand: s, Outcome: answer.Outcome, Rule: answer.Rule, Because: answer.Because}
		if answer.Outcome == payoutApprove && approved {
			d.Because = approval.Actor + " approved it: somebody else has to order it."
		}
		if answer.Outcome != payoutPay {
			p.left = append(p.left, d)
			continue
		}
		if _, err := p.transfer(d); err != nil {
			d.Outcome, d.Rule, d.Because = payoutHold, "the bank would not take it", err.Error()
			p.left = append(p.left, d)
			continue
		}
		p.pay = append(p.pay, d)
	}
	return nil
}

// line is the payment of a statement.
func (p *payer) line(d PayoutDecision) storage.PayoutLine {
	try := d.Try + 1
	return storage.PayoutLine{Reference: bank.Reference(p.Site, d.Period.Number(), d.Seller, d.Version, try), SellerID: d.SellerID, Seller: d.Seller, Period: d.Period, Version: d.Version, Try: try,
		Amount: d.Money(d.Payout), Account: p.accounts[d.SellerID], Remittance: "Settlement " + d.Period.String(), Rule: d.Rule}
}

// transfer is the payment as the bank reads it, checked.
func (p *payer) transfer(d PayoutDecision) (bank.Transfer, error) {
	l := p.line(d)
	if p.Latin {
		holder, err := bank.Latin(l.Account.Holder)
		if err != nil {
			return bank.Transfer{}, err
		}
		l.Account.Holder = holder
	}
	t := transferOf(l)
	return t, t.Check()
}

// files puts what is paid into a file a currency.
func (p *payer) files(ctx context.Context, tx *storage.Tx) (files []storage.Payout, err error) {
	if len(p.pay) == 0 {
		return nil, nil
	}
	from, has := p.accounts[0]
	if !has {
		return nil, fmt.Errorf("%w: pay: no account is known that %s pays from: import bank_accounts with one that has no seller", ErrBadRequest, p.Site)
	}
	count, err := tx.PayoutCount(ctx, p.Site)
	if err != nil {
		return nil, err
	}
	on := market.DateOf(p.At, p.site.Zone)
	for _, d := range p.pay {
		i := slices.IndexFunc(files, func(f storage.Payout) bool { return f.Currency == d.Currency })
		if i < 0 {
			year, month, day := on.Split()
			i = len(files)
			files = append(files, storage.Payout{Code: fmt.Sprintf("NS-%s-%04d%02d%02d-%d", p.Site, year, month, day, count+i+1), Currency: d.Currency, ExecuteOn: p.ExecuteOn, From: from, At: p.At, Actor: p.Actor})
		}
		l := p.line(d)
		if p.Latin {
			if l.Account.Holder, err = bank.Latin(l.Account.Holder); err != nil {
				return nil, err // it was asked before
			}
		}
		files[i].Lines = append(files[i].Lines, l)
		files[i].Amount = files[i].Amount.Add(l.Amount.Amount)
	}
	for i := range files {
		slices.SortFunc(files[i].Lines, func(a, b storage.PayoutLine) int { return cmp.Compare(a.Reference, b.Reference) })
		if err := orderOf(&files[i], p.site.Zone).Check(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
		}
	}
	return files, nil
}

// keep keeps the files and books their payments: what is payable is on its way.
func (p *payer) keep(ctx context.Context, tx *storage.Tx, files []storage.Payout) error {
	owner := storage.Keeping{Site: p.Site, On: market.DateOf(p.At, p.site.Zone)}
	var journals []market.Journal
	for _, f := range files {
		if err := tx.KeepPayout(ctx, p.Site, f); err != nil {
			return err
		}
		for _, l := range f.Lines {
			j := market.Journal{Key: paymentKey(p.Site, l.Reference, "ordered"), Memo: "Payment of " + l.Period.String() + " to " + l.Seller + ", ordered in " + f.Code, At: p.At}
			j.Post(market.SellerPayable(l.Seller), market.PlatformPayouts, l.Amount)
			journals = append(journals, j)
		}
	}
	return tx.KeepJournals(ctx, owner, storage.PersonSource(owner.On), journals)
}

// paymentKey is the key of what happens to a payment.
func paymentKey(site, reference, what string) string {
	return "payment/" + site + "/" + reference + "/" + what
}

// Forms of a payment file.
const (
	FormPain = "pain.001"
	FormCSV  = "csv"
)

// WritePayout writes a payment file that was kept, byte by byte as before.
func (e *Engine) WritePayout(ctx context.Context, siteName, code, form string, w io.Writer) error {
	site, err := e.inForce(ctx, siteName)
	if err != nil {
		return err
	}
	var p storage.Payout
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		var found bool
		if p, found, err = tx.FindPayout(ctx, siteName, code); err == nil && !found {
			err = fmt.Errorf("%w: there is no payment file %s: see `nightshift settlement payouts`", ErrBadRequest, code)
		}
		return err
	})
	if err != nil {
		return err
	}
	switch form {
	case FormPain:
		return bank.WritePain(w, orderOf(&p, site.Zone))
	case FormCSV:
		return bank.WriteCSV(w, orderOf(&p, site.Zone))
	}
	return fmt.Errorf("%w: a payment file is %s or %s, not %q", ErrBadRequest, FormPain, FormCSV, form)
}

// orderOf is a payment file as the bank reads it.
func orderOf(p *storage.Payout, zone *time.Location) bank.Order {
	o := bank.Order{ID: p.Code, Initiator: p.From.Holder, CreatedAt: p.At.In(zone).Truncate(time.Second), ExecuteOn: p.ExecuteOn, From: accountOf(p.From)}
	for _, l := range p.Lines {
		o.Transfers = append(o.Transfers, transferOf(l))
	}
	return o
}

func transferOf(l storage.PayoutLine) bank.Transfer {
	return bank.Transfer{Reference: l.Reference, Seller: l.Seller, Amount: l.Amount, To: accountOf(l.Account), Remittance: l.Remittance}
}

func accountOf(a storage.BankAccount) bank.Account {
	return bank.Account{Holder: a.Holder, IBAN: a.IBAN, Number: a.Number, BIC: a.BIC, Branch: a.BankNumber, Country: a.Country}
}

// ApprovePayment keeps that a second person agrees to pay a statement. It is not
// the one who countersigned it.
func (e *Engine) ApprovePayment(ctx context.Context, ask StatementAct) (approved []storage.StatementStand, err error) {
	switch {
	case ask.Actor == "":
		return nil, fmt.Errorf("%w: approve: nobody is named as approving: name yourself with --actor", ErrBadRequest)
	case ask.Because == "":
		return nil, fmt.Errorf("%w: approve: a reason is needed: --because \"…\"", ErrBadRequest)
	case len(ask.Sellers) == 0:
		return nil, fmt.Errorf("%w: approve: name the sellers", ErrBadRequest)
	}
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		approved = nil
		if err := tx.Serialise(ctx, payoutLock(ask.Site)); err != nil {
			return err
		}
		list, err := tx.Statements(ctx, storage.StatementQuery{Site: ask.Site, Period: ask.Period.Number(), Sellers: ask.Sellers})
		if err = cmp.Or(err, known(ask, list)); err != nil {
			return err
		}
		before, err := tx.Approvals(ctx, ask.Site)
		if err != nil {
			return err
		}
		for _, s := range list {
			where := fmt.Sprintf("approve the payment of %s to %s", s.Period, s.Seller)
			switch first, twice := before[s.ApprovalKey()]; {
			case s.State() != market.StatementPayable:
				return fmt.Errorf("%w: %s: it is %s, not payable", ErrBadRequest, where, s.State())
			case s.Move.Actor == ask.Actor:
				return fmt.Errorf("%w: %s: %s made it payable: another person has to approve it", ErrBadRequest, where, ask.Actor)
			case twice:
				return fmt.Errorf("%w: %s: %s approved it before", ErrBadRequest, where, first.Actor)
			}
			if err := tx.Approve(ctx, s, storage.StatementMove{At: ask.At, Actor: ask.Actor, Because: ask.Because}); err != nil {
				return err
			}
			approved = append(approved, s)
		}
		return nil
	})
	return approved, err
}

// PausePayments stops or resumes the payments of sellers, or of the site where
// none is named. What is with the bank already is not called back.
func (e *Engine) PausePayments(ctx context.Context, ask StatementAct, paused bool) error {
	switch {
	case ask.Actor == "":
		return fmt.Errorf("%w: pause: nobody is named as doing it: name yourself with --actor", ErrBadRequest)
	case ask.Because == "":
		return fmt.Errorf("%w: pause: a reason is needed: --because \"…\"", ErrBadRequest)
	}
	return e.Store.InTx(ctx, func(ctx context.Context, tx *storage.Tx) error {
		if err := tx.Serialise(ctx, payoutLock(ask.Site)); err != nil {
			return err
		}
		ids := []int64{0}
		if len(ask.Sellers) > 0 {
			ids = nil
		}
		for _, code := range ask.Sellers {
			id, err := tx.SellerByCode(ctx, ask.Site, code)
			if errors.Is(err, storage.ErrNoSeller) {
				err = fmt.Errorf("%w: %w", ErrBadRequest, err)
			}
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		for _, id := range ids {
			if err := tx.Pause(ctx, ask.Site, id, paused, storage.StatementMove{At: ask.At, Actor: ask.Actor, Because: ask.Because}); err != nil {
				return err
			}
		}
		return nil
	})
}
