package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nightshift/jobs"
	"nightshift/jobs/intake"
	"nightshift/rules/market"
	"nightshift/storage"
	"nightshift/storage/storagetest"
)

// month is a marketplace with a settled April: acme has 10,000 by a product that
// waits for nothing, globex 600,000, zed owes a refund, and ian is not certified.
type month struct {
	*testing.T
	store  *storage.Store
	engine *jobs.Engine
	zone   *time.Location
	run    jobs.Result
}

var aprilFiles = map[string]string{
	"sellers": `code,name,certified_at
acme,Acme,2020-01-01T00:00:00
globex,Globex,2020-01-01T00:00:00
zed,Zed,2020-01-01T00:00:00
ian,Ian,
`,
	"buyers": "code\nann\n",
	"products": `code,seller,access_type,product_class
P-A,acme,saas,software
P-G,globex,saas,software
P-Z,zed,saas,software
P-I,ian,saas,software
`,
	"orders": `code,buyer,seller,product,access_type,delivery_mode,placed_at,paid_at,provisioned_at,amount,currency
A-1,ann,acme,P-A,saas,instant,2024-04-02T10:00:00,2024-04-02T10:01:00,2024-04-02T10:02:00,10000.00,CNY
G-1,ann,globex,P-G,saas,instant,2024-04-03T10:00:00,2024-04-03T10:01:00,2024-04-03T10:02:00,600000.00,CNY
I-1,ann,ian,P-I,saas,instant,2024-04-03T10:00:00,2024-04-03T10:01:00,2024-04-03T10:02:00,5000.00,CNY
`,
	"adjustments": `code,seller,kind,amount,currency,at,reason
D-1,zed,dispute,-50.00,CNY,2024-04-20T10:00:00,sent twice
`,
	"bank_accounts": `code,seller,holder,iban,number,bic,bank_number,country,changed_at
OWN,,Cloud Market Ltd,,110906000010501,ICBKCNBJ,102100099996,CN,2020-01-01T00:00:00
B-A,acme,Acme Software,,6222020200112233445,,102290000011,CN,2020-01-01T00:00:00
B-G,globex,Globex GmbH,DE89370400440532013000,,COBADEFFXXX,,DE,2020-01-01T00:00:00
`,
}

func april(t *testing.T) *month {
	t.Helper()
	s := storagetest.New(t)
	m := &month{T: t, store: s, engine: engine(t, s), zone: time.FixedZone("", 8*3600)}
	for _, kind := range intake.Kinds {
		m.takeIn(kind.Name, aprilFiles[kind.Name])
	}
	m.run = m.settle("2024-04-30")
	return m
}

func (m *month) takeIn(kind, text string) {
	m.Helper()
	if text == "" {
		return
	}
	file := filepath.Join(m.TempDir(), kind+".csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		m.Fatal(err)
	}
	if _, err := intake.Import(m.Context(), m.store, intake.Request{Kind: kind, Site: "cn", Zone: mustShanghai, Files: []string{file}}); err != nil {
		m.Fatal(err)
	}
}

var mustShanghai = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return zone
}()

func (m *month) settle(on string) jobs.Result {
	m.Helper()
	r, err := m.engine.Run(m.Context(), jobs.Request{Job: "settlement", Site: "cn", On: date(m.T, on)})
	if err != nil {
		m.Fatal(err)
	}
	return r
}

func at(text string) time.Time {
	t, err := time.ParseInLocation(time.DateTime, text, mustShanghai)
	if err != nil {
		panic(err)
	}
	return t
}

func (m *month) act(act, when, actor string, sellers ...string) []string {
	m.Helper()
	moves, err := m.try(act, when, actor, sellers...)
	if err != nil {
		m.Fatalf("%s: %v", act, err)
	}
	return moves
}

func (m *month) try(act, when, actor string, sellers ...string) (told []string, err error) {
	m.Helper()
	ask := jobs.StatementAct{Site: "cn", Act: act, Period: market.PeriodNumbered(202404), Sellers: sellers, Actor: actor, Because: "the test says so", At: at(when)}
	moved, moves, err := m.engine.MoveStatements(m.Context(), ask)
	for i, s := range moved {
		until := "–"
		if moves[i].Until != 0 {
			until = moves[i].Until.String()
		}
		told = append(told, fmt.Sprintf("%s %s → %s until %s", s.Seller, s.State(), moves[i].State, until))
	}
	return told, err
}

func (m *month) balance(account market.Account) string {
	m.Helper()
	list, err := m.store.Balances(m.Context(), storage.BooksAt{Site: "cn"}, account)
	if err != nil {
		m.Fatal(err)
	}
	if len(list) == 0 {
		return "0"
	}
	return list[0].Balance.String()
}

func (m *month) states() string {
	m.Helper()
	list, err := m.engine.StatementList(m.Context(), storage.StatementQuery{Site: "cn", Period: 202404})
	if err != nil {
		m.Fatal(err)
	}
	var words []string
	for _, s := range list {
		words = append(words, s.Seller+" "+s.State())
	}
	return strings.Join(words, ", ")
}

// payable brings all of April to where it can be paid.
func (m *month) payable() {
	m.Helper()
	m.act("review", "2024-05-06 10:00:00", "rita")
	m.act("send", "2024-05-08 10:00:00", "rita")
	m.act("countersign", "2024-05-17 10:00:00", "carl")
}

func (m *month) pay(when, actor string) jobs.PayoutFiles {
	m.Helper()
	out, err := m.engine.Payout(m.Context(), jobs.PayoutAsk{Site: "cn", Actor: actor, At: at(when)})
	if err != nil {
		m.Fatal(err)
	}
	return out
}

func (m *month) reconcile(text string) jobs.Reconciliation {
	m.Helper()
	r, err := m.engine.Reconcile(m.Context(), jobs.ReconcileAsk{Site: "cn", Name: "bank.csv", File: strings.NewReader("reference,amount,currency,status,booked_on,bank_reference,reason\n" + text), Actor: "fay", At: at("2024-05-28 09:00:00")})
	if err != nil {
		m.Fatal(err)
	}
	return r
}

// Example D25: run 2024-05-06, review until 05-08, countersign until 05-17, paid until 05-27.
func TestAStatementGoesItsWayByWorkingDays(t *testing.T) {
	m := april(t)
	if got := m.states(); got != "acme draft, globex draft, zed draft" {
		t.Fatal(got)
	}
	_, _, steps, err := m.engine.StatementWay(t.Context(), "cn", "acme", market.PeriodNumbered(202404))
	if err != nil || fmt.Sprint(steps[0].Until, steps[1].Until, steps[2].Until) != "2024-05-08 2024-05-17 2024-05-27" {
		t.Errorf("planned: %v, %v", steps, err)
	}
	for _, step := range []struct{ act, when, actor, first string }{
		{"review", "2024-05-06 10:00:00", "rita", "acme draft → in_review until 2024-05-08"},
		{"send", "2024-05-08 10:00:00", "rita", "acme in_review → to_countersign until 2024-05-17"},
		{"countersign", "2024-05-17 10:00:00", "carl", "acme to_countersign → payable until 2024-05-27"},
	} {
		if got := m.act(step.act, step.when, step.actor); len(got) != 3 || got[0] != step.first {
			t.Errorf("%s: %q", step.act, got)
		}
	}
	if got := m.states(); got != "acme payable, globex payable, zed nothing_to_pay" {
		t.Error(got)
	}
	if got, err := m.try("review", "2024-05-18 10:00:00", "rita"); err != nil || got != nil {
		t.Errorf("a second review moves nothing: %v, %v", got, err)
	}
	for _, wrong := range []struct {
		act, actor string
		sellers    []string
		want       string
	}{
		{"review", "rita", []string{"acme"}, "it is payable, it must be draft"},
		{"dispute", "rita", nil, "name the sellers"},
		{"review", "", nil, "name yourself with --actor"},
		{"review", "rita", []string{"nobody"}, "nobody has none for 202404"},
		{"burn", "rita", nil, "there is no step"},
	} {
		if _, err := m.try(wrong.act, "2024-05-18 10:00:00", wrong.actor, wrong.sellers...); !errors.Is(err, jobs.ErrBadRequest) || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("%s: %v, want %s", wrong.act, err, wrong.want)
		}
	}
	m.act("dispute", "2024-05-19 10:00:00", "rita", "acme")
	if got := m.act("resolve", "2024-05-20 10:00:00", "rita", "acme"); got[0] != "acme disputed → to_countersign until 2024-05-30" {
		t.Error(got)
	}
}

func TestMoneyGoesToSellersOnceAndComesBackWhenItFails(t *testing.T) {
	m := april(t)
	m.payable()
	// 600,000 in a month: 96 %; more than the limit, so that a second person is needed.
	out := m.pay("2024-05-27 09:00:00", "paul")
	if len(out.Files) != 1 || len(out.Files[0].Lines) != 1 || len(out.Left) != 1 || out.Left[0].Rule != "large" {
		t.Fatalf("%+v", out)
	}
	ask := jobs.StatementAct{Site: "cn", Period: market.PeriodNumbered(202404), Sellers: []string{"globex"}, Actor: "carl", Because: "seen", At: at("2024-05-27 09:10:00")}
	if _, err := m.engine.ApprovePayment(t.Context(), ask); err == nil || !strings.Contains(err.Error(), "carl made it payable: another person") {
		t.Errorf("who countersigned approves: %v", err)
	}
	ask.Actor = "sue"
	if _, err := m.engine.ApprovePayment(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	if out := m.pay("2024-05-27 09:20:00", "sue"); len(out.Files) != 0 || !strings.Contains(out.Left[0].Because, "sue approved it: somebody else") {
		t.Errorf("who approved orders: %+v", out)
	}
	second := m.pay("2024-05-27 09:30:00", "paul")
	if len(second.Files) != 1 || second.Files[0].Lines[0].Amount.String() != "576000.00 CNY" {
		t.Fatalf("%+v", second)
	}
	if again := m.pay("2024-05-27 10:00:00", "paul"); len(again.Files)+len(again.Left) != 0 {
		t.Errorf("what is with the bank is paid again: %+v", again)
	}
	if got := m.balance(market.PlatformPayouts); got != "585500.00 CNY" {
		t.Errorf("on its way: %s", got)
	}
	var pain, once bytes.Buffer
	if err := errors.Join(m.engine.WritePayout(t.Context(), "cn", out.Files[0].Code, jobs.FormPain, &pain), m.engine.WritePayout(t.Context(), "cn", out.Files[0].Code, jobs.FormPain, &once)); err != nil {
		t.Fatal(err)
	}
	if pain.String() != once.String() || !strings.Contains(pain.String(), "<CtrlSum>9500.00</CtrlSum>") || !strings.Contains(pain.String(), "<EndToEndId>cn-202404-acme-1.1</EndToEndId>") {
		t.Errorf("%s", pain.String())
	}

	answer := "cn-202404-acme-1.1,9500.00,CNY,paid,2024-05-27,X1,\ncn-202404-globex-1.1,576000.00,CNY,failed,2024-05-27,X2,AC04 closed\nstranger,1.00,CNY,paid,2024-05-27,X3,\ncn-202404-acme-1.1,9500.00,CNY,paid,2024-05-27,X4,\n"
	r := m.reconcile(answer)
	if len(r.Matched) != 4 || len(r.Unmatched()) != 2 {
		t.Fatalf("%+v", r)
	}
	if got := m.states(); got != "acme paid, globex payment_failed, zed nothing_to_pay" {
		t.Error(got)
	}
	before := m.journals()
	if r := m.reconcile(answer); r.Known != 4 || len(r.Matched) != 0 || m.journals() != before {
		t.Errorf("the same file again: %+v", r)
	}
	for account, want := range map[market.Account]string{market.PlatformPayouts: "0.00 CNY", market.PlatformBank: "9500.00 CNY", market.SellerPayable("acme"): "0.00 CNY", market.SellerPayable("globex"): "576000.00 CNY"} {
		if got := m.balance(account); got != want {
			t.Errorf("%s is %s, want %s", account, got, want)
		}
	}
	lines, open, err := m.engine.UnmatchedLines(t.Context(), "cn", false, 10)
	if err != nil || len(lines) != 2 || lines[0].Verdict != "twice" || lines[1].Verdict != "stranger" || len(open) != 0 {
		t.Errorf("%+v, %+v, %v", lines, open, err)
	}
	m.act("retry", "2024-05-29 09:00:00", "paul", "globex")
	third := m.pay("2024-05-29 10:00:00", "paul")
	if len(third.Files) != 1 || third.Files[0].Lines[0].Reference != "cn-202404-globex-1.2" {
		t.Fatalf("%+v", third)
	}
	m.reconcile("cn-202404-globex-1.2,576000.00,CNY,paid,2024-05-30,X5,\n")
	m.reconcile("cn-202404-globex-1.2,576000.00,CNY,returned,2024-05-31,X6,AC01\n")
	if got := m.states() + " " + m.balance(market.SellerPayable("globex")) + " " + m.balance(market.PlatformBank); got != "acme paid, globex payment_failed, zed nothing_to_pay 576000.00 CNY 9500.00 CNY" {
		t.Error(got)
	}
}

func (m *month) journals() int64 {
	m.Helper()
	return count(m, m.store, `SELECT count(*) FROM journals`)
}

func TestPausesAndChangedAccountsStopPayments(t *testing.T) {
	m := april(t)
	m.payable()
	pause := func(paused bool, sellers ...string) {
		t.Helper()
		if err := m.engine.PausePayments(t.Context(), jobs.StatementAct{Site: "cn", Sellers: sellers, Actor: "ops", Because: "fraud", At: at("2024-05-20 09:00:00")}, paused); err != nil {
			t.Fatal(err)
		}
	}
	left := func() string {
		t.Helper()
		out, err := m.engine.Payout(t.Context(), jobs.PayoutAsk{Site: "cn", Sellers: []string{"acme"}, Actor: "paul", At: at("2024-05-27 09:00:00"), DryRun: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Left) == 0 {
			return "paid"
		}
		return out.Left[0].Rule
	}
	if got := left(); got != "paid" {
		t.Fatal(got)
	}
	pause(true)
	if got := left(); got != "paused" {
		t.Errorf("a paused site: %s", got)
	}
	pause(false)
	pause(true, "acme")
	if got := left(); got != "paused" {
		t.Errorf("a paused seller: %s", got)
	}
	pause(false, "acme")
	m.takeIn("bank_accounts", "code,seller,holder,number,changed_at\nB-A2,acme,Acme Software,999,2024-05-24T09:00:00\n")
	if got := left(); got != "account changed" {
		t.Errorf("an account of three days: %s", got)
	}
	if out, err := m.engine.Payout(t.Context(), jobs.PayoutAsk{Site: "cn", Sellers: []string{"acme"}, Actor: "paul", At: at("2024-05-31 09:00:00")}); err != nil || len(out.Files) != 1 || out.Files[0].Lines[0].Account.Number != "999" {
		t.Errorf("a week later: %+v, %v", out, err)
	}
}

func TestAPeriodClosesWhenItTiesAndStaysClosed(t *testing.T) {
	m := april(t)
	period := market.PeriodNumbered(202404)
	closing := func() (jobs.CloseResult, error) {
		return m.engine.ClosePeriod(t.Context(), "cn", period, "fay", at("2024-06-01 09:00:00"), false)
	}
	if _, err := m.engine.ClosePeriod(t.Context(), "cn", period.Next(), "fay", at("2024-06-01 09:00:00"), false); !errors.Is(err, jobs.ErrBadRequest) || !strings.Contains(err.Error(), "is not settled") {
		t.Errorf("a month that is not settled: %v", err)
	}
	// Somebody books past the statements.
	err := m.store.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		j := market.Journal{Key: "by hand", At: at("2024-05-07 09:00:00")}
		j.Post(market.SellerPayable("acme"), market.PlatformFees, market.NewMoney(market.DecimalOf(1), "CNY"))
		return tx.KeepJournals(ctx, storage.Keeping{Site: "cn", On: date(t, "2024-04-30")}, "person/test", []market.Journal{j})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := closing(); !errors.Is(err, jobs.ErrControl) || !strings.Contains(err.Error(), "acme: 9499.00 CNY, must be 9500.00 CNY") {
		t.Errorf("books that differ: %v", err)
	}
	err = m.store.InTx(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
		found, err := tx.JournalsByKey(ctx, []string{"by hand"})
		if err != nil {
			return err
		}
		return tx.KeepJournals(ctx, storage.Keeping{Site: "cn", On: date(t, "2024-04-30")}, "person/test", []market.Journal{found["by hand"].Reverse("undone", at("2024-05-07 10:00:00"))})
	})
	if err != nil {
		t.Fatal(err)
	}
	// Nights that book into the month are missing.
	night := func(on string) error {
		_, err := m.engine.Run(t.Context(), jobs.Request{Job: "billing", Site: "cn", On: date(t, on)})
		return err
	}
	if err := night("2024-04-28"); err != nil {
		t.Fatal(err)
	}
	if _, err := closing(); !errors.Is(err, jobs.ErrControl) || !strings.Contains(err.Error(), "nights of billing: up to 2024-04-28, must be up to 2024-04-30; nightshift backfill billing --from 2024-04-29 --to 2024-04-30") {
		t.Errorf("nights that are missing: %v", err)
	}
	if err := errors.Join(night("2024-04-29"), night("2024-04-30")); err != nil {
		t.Fatal(err)
	}
	result, err := closing()
	if err != nil || result.Before != nil || len(result.Checks) < 8 {
		t.Fatalf("%+v, %v", result, err)
	}
	if again, err := closing(); err != nil || again.Before == nil || again.Before.Actor != "fay" || len(again.Checks) != len(result.Checks) {
		t.Errorf("closed again: %+v, %v", again, err)
	}
	if _, err := m.engine.Reissue(t.Context(), jobs.StatementAct{Site: "cn", Period: period, Sellers: []string{"acme"}, Actor: "fay", Because: "x", At: at("2024-06-02 09:00:00")}); !errors.Is(err, storage.ErrPeriodClosed) {
		t.Errorf("a closed period is issued again: %v", err)
	}
	// Nothing is booked into it, and what comes late belongs to the next period.
	m.takeIn("money", "code,buyer,kind,amount,currency,at\nM-9,ann,top_up,1.00,CNY,2024-04-27T10:00:00\n")
	if err := night("2024-04-27"); !errors.Is(err, storage.ErrPeriodClosed) || count(t, m.store, `SELECT count(*) FROM event_keys WHERE key LIKE 'money/%M-9%'`) != 0 {
		t.Errorf("a night of the closed month: %v", err)
	}
	if err := night("2024-05-01"); err != nil || count(t, m.store, `SELECT count(*) FROM event_keys WHERE key LIKE 'money/%M-9%'`) != 1 {
		t.Errorf("the next night: %v", err)
	}
	m.takeIn("orders", "code,buyer,seller,product,access_type,delivery_mode,placed_at,paid_at,provisioned_at,amount,currency\nA-9,ann,acme,P-A,saas,instant,2024-04-29T10:00:00,2024-04-29T10:01:00,2024-04-29T10:02:00,2000.00,CNY\n")
	m.settle("2024-05-31")
	if n := count(t, m.store, `SELECT count(*) FROM statement_lines WHERE key = 'order/cn/A-9' AND period = 202405`); n != 1 {
		t.Errorf("the late order is in %d statements of May", n)
	}
}

func TestAStatementIsIssuedAgainWithItsDifferencesAlone(t *testing.T) {
	m := april(t)
	if _, err := m.engine.KeepWorkbook(t.Context(), m.run.Run); err != nil {
		t.Fatal(err)
	}
	ask := jobs.StatementAct{Site: "cn", Period: market.PeriodNumbered(202404), Sellers: []string{"acme"}, Actor: "fay", Because: "an order was reported late", At: at("2024-05-08 09:00:00")}
	if list, err := m.engine.Reissue(t.Context(), ask); err != nil || !list[0].Same {
		t.Fatalf("where nothing differs: %+v, %v", list, err)
	}
	m.takeIn("orders", "code,buyer,seller,product,access_type,delivery_mode,placed_at,paid_at,provisioned_at,amount,currency\nA-9,ann,acme,P-A,saas,instant,2024-04-29T10:00:00,2024-04-29T10:01:00,2024-04-29T10:02:00,2000.00,CNY\n")
	list, err := m.engine.Reissue(t.Context(), ask)
	if err != nil || list[0].Same || list[0].After.Version != 2 || list[0].After.Payout.String() != "11400" {
		t.Fatalf("%+v, %v", list, err)
	}
	booked, found, err := m.store.FindJournal(t.Context(), "settlement/cn/acme/202404/2")
	if err != nil || !found || len(booked.Postings) != 3 {
		t.Fatalf("%+v, %v", booked, err)
	}
	if got := m.balance(market.SellerPayable("acme")); got != "11400.00 CNY" {
		t.Error(got)
	}
	if _, err := m.engine.ClosePeriod(t.Context(), "cn", ask.Period, "fay", at("2024-05-09 09:00:00"), true); err != nil {
		t.Errorf("with a second version the period does not tie: %v", err)
	}
	for _, name := range []string{"", "income-cn-202404.xlsx", "statement-cn-acme-202404.xlsx", "statement-cn-globex-202404.xlsx", "statement-cn-zed-202404.xlsx"} {
		if _, difference, err := m.engine.VerifyDocument(t.Context(), m.run.Run, name); err != nil || difference != "" {
			t.Errorf("%s written again: %s %v", name, difference, err)
		}
	}
	var second bytes.Buffer
	if err := m.engine.StatementWorkbook(t.Context(), "cn", "acme", ask.Period, 2, &second); err != nil || second.Len() < 5000 {
		t.Errorf("the second version: %d bytes, %v", second.Len(), err)
	}
	// In May the order is not settled again.
	m.takeIn("orders", "code,buyer,seller,product,access_type,delivery_mode,placed_at,paid_at,provisioned_at,amount,currency\nA-10,ann,acme,P-A,saas,instant,2024-05-02T10:00:00,2024-05-02T10:01:00,2024-05-02T10:02:00,2000.00,CNY\n")
	m.settle("2024-05-31")
	if n := count(t, m.store, `SELECT count(*) FROM statement_lines WHERE key = 'order/cn/A-9'`); n != 1 {
		t.Errorf("the late order is settled %d times", n)
	}
	if _, err := m.engine.Reissue(t.Context(), ask); err == nil || !strings.Contains(err.Error(), "a later statement stands on it") {
		t.Errorf("below a later statement: %v", err)
	}
}
