package intake

import (
	"fmt"
	"slices"

	"nightshift/storage"
)

// Type is what the cells of a column hold.
type Type string

const (
	Code    Type = "code"    // what the marketplace calls something: at most 200 bytes
	Text    Type = "text"    // anything, of any length
	Instant Type = "instant" // 2024-04-01T10:00:00+08:00, or local time without an offset
	Money   Type = "money"   // "99.00 CNY", or 99.00 beside a currency column
	Number  Type = "number"  // an exact decimal
	Count   Type = "count"   // a whole number from 1
	Bool    Type = "bool"    // true or false
	Word    Type = "word"    // one of the column's Words
)

// Column is one column that a kind of file may have.
type Column struct {
	Name     string
	Type     Type
	Required bool     // must be there and filled in every row
	Default  string   // what an empty cell means
	Words    []string // of a Word column
	Refers   string   // the kind whose code stands here
	About    string

	blank  bool     // an empty cell is the empty word, not the lack of one
	bounds [2]int32 // the least and the most of a count; none: from 1
	owed   bool     // money or a number of something: never less than nothing
	part   bool     // a number that is a part of something: from 0 to 1
}

// Kind is what one kind of file reports: its columns, what makes two rows the
// same fact, and what a changed fact wakes. All of import follows from it.
type Kind struct {
	Name    string
	About   string
	Columns []Column
	Key     []string    // the columns that identify a fact in its site
	Both    [][2]string // columns filled in together or not at all
	Order   [][3]string // instants that follow each other: a, "<" or "<=", b
	Alone   []string    // columns whose values belong to one fact only
	Once    []string    // a fact never changes once it is there; of several in a file the first by these columns counts
	Wakes   []storage.Wake
	Append  bool   // rows are added as they stand, each a fact of its own; a file that was taken in before changes nothing
	Bundle  string // rows with the same text in this column came together: of an appended kind in one call, of packages in one purchase

	// holds says what is wrong between the filled cells of a row: the column and
	// why; nothing where all is well. A kind without such a law has none.
	holds func(has func(column string) bool, word func(column string) string) (column, reason string)

	adds    [3]string // of an appended kind, a column that storage fills in, from which SQL, and the column of files that this takes
	then    string    // what storage does after a fact was written
	bundles string    // the column of who brings bundles: two may call theirs the same
	most    int       // rows of one bundle; of packages those that stop when they are used up
	table   string    // where the facts are kept
}

// CurrencyColumn is the column beside a bare amount of money.
const CurrencyColumn = "currency"

// CodeActivatedBefore is the published error of activating a code a second time.
const CodeActivatedBefore = "92020003"

var accessTypes = []string{"saas", "license", "image", "human_service", "consulting", "hardware", "container",
	"api", "agent", "ai_asset", "data_asset", "data_file", "orchestration", "content"}

var termUnits = []string{"day", "month", "year"}

// wakesOrder has acceptance look at the order that a fact is about.
var wakesOrder = []storage.Wake{{Job: "acceptance", Subject: "t.order_id"}}

// wakesOwing has billing look at a buyer of whom something stands there: another
// level has other periods, another limit pays what the last one did not.
var wakesOwing = []storage.Wake{{Job: "billing", At: "'-infinity'::timestamptz",
	Subject: "(SELECT d.subject FROM due d WHERE d.job = 'billing' AND d.subject = t.id)"}}

// wakesReturns has billing look at the buyer of an order that is sent back.
var wakesReturns = storage.Wake{Job: "billing", At: "t.opened_at",
	Subject: "(SELECT o.buyer_id FROM orders o WHERE o.id = t.order_id AND EXISTS (SELECT FROM refunds r WHERE r.order_id = o.id AND r.request = 'return'))"}

// wakesPayer has billing look at the buyer of an order that is not paid.
var wakesPayer = storage.Wake{Job: "billing", At: "t.placed_at",
	Subject: "CASE WHEN t.paid_at IS NULL AND t.cancelled_at IS NULL THEN t.buyer_id END"}

// Kinds are the kinds of files that import takes, each after those it refers to.
var Kinds = slices.Concat(orderKinds, renewalKinds, billingKinds, usageKinds, payoutKinds, smallKinds)

var orderKinds = []Kind{
	{Name: "sellers", table: "sellers", Key: []string{"code"}, About: "Who sells.", Columns: []Column{
		{Name: "code", Type: Code, Required: true, About: "the marketplace's number of the seller"},
		{Name: "name", Type: Text},
		{Name: "certified_at", Type: Instant, About: "when the platform certified the seller's bank account and tax rate: before that there is no statement"},
		{Name: "country", Type: Text, About: "the seller's country by its two letters, such as SG: which taxes are kept back"},
		{Name: "currency", Type: Text, About: "that the seller is settled in; empty: the site's"},
	}},
	{Name: "buyers", table: "buyers", Key: []string{"code"}, About: "Who buys.", Wakes: wakesOwing, Columns: []Column{
		{Name: "code", Type: Code, Required: true, About: "the marketplace's number of the buyer"},
		{Name: "name", Type: Text},
		{Name: "level", Type: Text, About: "the buyer's level with the platform"},
		{Name: "credit_limit", Type: Money, owed: true, About: "how much may be spent on credit; changes of it are a kind of their own, limits"},
		{Name: "month_end", Type: Bool, Default: "false", About: "whether purchases are settled at the end of the month"},
	}},
	{Name: "products", table: "products", Key: []string{"code"}, About: "What is sold.", Columns: []Column{
		{Name: "code", Type: Code, Required: true, About: "the marketplace's number of the product"},
		{Name: "seller", Type: Code, Refers: "sellers"},
		{Name: "name", Type: Text},
		{Name: "access_type", Type: Word, Words: accessTypes, About: "how the product reaches the buyer"},
		{Name: "product_class", Type: Word, Words: []string{"hardware", "software", "service"}, About: "the tax class; without one nothing of it is settled"},
		{Name: "delisted_at", Type: Instant, About: "when it was taken off the shelf"},
		{Name: "credit_allowed", Type: Bool, Default: "true", About: "whether it may be bought on credit"},
		{Name: "model", Type: Word, Words: []string{"common", "joint_deal", "joint_floor"}, Default: "common", About: "sold by the seller, or jointly and shared by deal price or by floor price"},
		{Name: "fee_rate", Type: Number, part: true, About: "the platform's fee that was agreed for it, 0.08 for 8 percent; empty: by the fee rules"},
		{Name: "partner_share", Type: Number, part: true, About: "of joint goods: the seller's part, 0.7 for 70 percent"},
		{Name: "floor_discount", Type: Number, part: true, About: "of joint goods shared by floor price: the floor as a part of the list price"},
		{Name: "tax_rate", Type: Number, owed: true, About: "of joint goods: the tax in their price, 0.06 for 6 percent"},
		{Name: "operating_fee", Type: Number, part: true, About: "the operating management fee of a project, as a part of what is billable"},
	}},
	{Name: "orders", table: "orders", Key: []string{"code"}, Wakes: []storage.Wake{{Job: "acceptance", Subject: "t.id"}, wakesPayer}, About: "What a buyer bought in one go.",
		Both: [][2]string{{"term_count", "term_unit"}}, Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the marketplace's number of the order"},
			{Name: "buyer", Type: Code, Required: true, Refers: "buyers"},
			{Name: "seller", Type: Code, Refers: "sellers"},
			{Name: "product", Type: Code, Refers: "products"},
			{Name: "order_type", Type: Word, Words: []string{"new", "renewal", "change"}, Default: "new"},
			{Name: "access_type", Type: Word, Words: accessTypes, Required: true, About: "how the product reaches the buyer"},
			{Name: "delivery_mode", Type: Word, Words: []string{"instant", "offline", "online_code", "identification_code", "package"}, blank: true, About: "empty where nothing is known"},
			{Name: "charge_mode", Type: Word, Words: []string{"PERIOD", "ONE_TIME", "ON_DEMAND", "ON_DEMAND_PKG"}, Default: "ONE_TIME"},
			{Name: "track", Type: Word, Words: []string{"empowerment", "base"}, blank: true, About: "whose acceptance standard holds; empty: the seller's own"},
			{Name: "placed_at", Type: Instant, Required: true},
			{Name: "paid_at", Type: Instant},
			{Name: "cancelled_at", Type: Instant},
			{Name: "invoiced_at", Type: Instant, About: "when the buyer got the invoice"},
			{Name: "term_count", Type: Count, About: "how many units the order runs for; empty for a one-off sale"},
			{Name: "term_unit", Type: Word, Words: termUnits},
			{Name: "receiver_phone", Type: Text, About: "where the parcel is announced"},
			{Name: "amount", Type: Money, owed: true, About: "what the order costs before any discount, 0 or more"},
			{Name: "auto_pay", Type: Bool, Default: "false", About: "whether it is paid by itself when it is placed"},
			{Name: "pay_at", Type: Instant, About: "when the buyer asked to pay it by hand"},
			{Name: "quantity", Type: Number, Default: "1", owed: true, About: "of joint goods: how many"},
			{Name: "list_price", Type: Number, owed: true, About: "of joint goods: of one, for one unit of the term, in the order's currency"},
			{Name: "discount", Type: Number, part: true, About: "of joint goods: 0.8 leaves eight tenths of the list price; empty: none was given"},
			{Name: "provisioned_at", Type: Instant, About: "when it was provisioned; empty: when it was delivered, or its instance or subscription began"},
			{Name: "effective_at", Type: Instant, About: "when what was bought takes effect; of a renewal: when the renewed term begins"},
			{Name: "on_credit", Type: Bool, Default: "false", About: "the marketplace took the payment on credit: it counts once repaid_at is known"},
			{Name: "repaid_at", Type: Instant, About: "when everything of the billing month was repaid"},
			{Name: "cash_amount", Type: Number, owed: true, About: "what of the payment was cash; empty: all of it"},
			{Name: "withheld", Type: Number, owed: true, About: "tax that the customer kept back"},
			{Name: "wht", Type: Number, owed: true, About: "the seller's withholding tax; empty, as dst: by the tax rules"},
			{Name: "dst", Type: Number, owed: true, About: "the seller's digital services tax"},
			{Name: "partner", Type: Code, Refers: "sellers", About: "the partner who resold it"},
			{Name: "partner_share", Type: Number, part: true, About: "the partner's part of the cash, 0.1 for 10 percent"},
			{Name: "pay_with", Type: Text, About: "the instruments that the buyer named, by code, between spaces; empty: the rules choose"},
		}},
	{Name: "lines", table: "order_lines", Key: []string{"order", "line"}, About: "The lines of orders.", Columns: []Column{
		{Name: "order", Type: Code, Required: true, Refers: "orders"},
		{Name: "line", Type: Count, Required: true, About: "counts from 1 in each order"},
		{Name: "product", Type: Code, Refers: "products"},
		{Name: "seller", Type: Code, Refers: "sellers"},
		{Name: "quantity", Type: Number, Default: "1"},
		{Name: "amount", Type: Money, Required: true, About: "what the line costs in all"},
	}},
	{Name: "deliveries", table: "deliveries", Key: []string{"order", "attempt"}, Wakes: wakesOrder,
		About: "The seller's handovers of orders. A rejected one is followed by another attempt.", Columns: []Column{
			{Name: "order", Type: Code, Required: true, Refers: "orders"},
			{Name: "attempt", Type: Count, Default: "1"},
			{Name: "delivered_at", Type: Instant, About: "the seller confirmed completion"},
			{Name: "start_at", Type: Instant, About: "the actual start of use, where the seller filled it in"},
			{Name: "proof_at", Type: Instant, About: "the seller uploaded the delivery proof"},
			{Name: "collected_at", Type: Instant, About: "the buyer collected the authorisation code"},
			{Name: "reviewed_at", Type: Instant, About: "the platform's reviewer passed it"},
			{Name: "accepted_at", Type: Instant, About: "the buyer accepted by hand"},
			{Name: "rejected_at", Type: Instant, About: "the buyer sent it back"},
		}},
	{Name: "shipments", table: "shipments", Key: []string{"order", "attempt"}, Wakes: wakesOrder,
		About: "The parcels of orders, as the courier reports them.", Columns: []Column{
			{Name: "order", Type: Code, Required: true, Refers: "orders"},
			{Name: "attempt", Type: Count, Default: "1"},
			{Name: "shipped_at", Type: Instant},
			{Name: "signed_at", Type: Instant, About: "the courier's signature"},
			{Name: "phone", Type: Text, About: "the phone number in the tracking record"},
			{Name: "carrier", Type: Text},
			{Name: "tracking", Type: Text},
		}},
	{Name: "activations", table: "activations", Key: []string{"code"}, Once: []string{"activated_at", "order"}, Wakes: wakesOrder,
		About: "First uses of authorisation codes. A code is activated once; a second time is the error " + CodeActivatedBefore + ".", Columns: []Column{
			{Name: "code", Type: Code, Required: true, About: "the authorisation code"},
			{Name: "order", Type: Code, Required: true, Refers: "orders"},
			{Name: "activated_at", Type: Instant, Required: true},
		}},
	{Name: "appeals", table: "appeals", Key: []string{"order", "code"}, Wakes: append(wakesOrder, wakesReturns), About: "Disputes over deliveries. They stop the clocks.",
		Both: [][2]string{{"decided_at", "decision"}}, Order: [][3]string{{"opened_at", "<=", "decided_at"}}, Columns: []Column{
			{Name: "order", Type: Code, Required: true, Refers: "orders"},
			{Name: "code", Type: Code, Required: true, About: "the number of the appeal, unique in its order"},
			{Name: "party", Type: Word, Words: []string{"buyer", "seller"}, Default: "buyer", About: "who appealed"},
			{Name: "opened_at", Type: Instant, Required: true},
			{Name: "decided_at", Type: Instant, About: "empty while the appeal is open"},
			{Name: "decision", Type: Word, Words: []string{"continue", "accept", "refund", "back"}, About: "empty while the appeal is open"},
		}},
}

// again says why a fact that is kept cannot be reported differently.
func (k *Kind) again(before string) string {
	if k.table == "activations" {
		return CodeActivatedBefore + ": the code was activated before, " + before + ": its start does not change"
	}
	return "was reported before, " + before + ": it does not change; report what corrects it under a code of its own"
}

// later says why a row that contradicts an earlier one of its file is not taken.
func (k *Kind) later(first int64) string {
	if k.table == "activations" {
		return fmt.Sprintf("%s: line %d activates the code first: its start does not change", CodeActivatedBefore, first)
	}
	return fmt.Sprintf("line %d reports it first, and it does not change", first)
}

// KindNamed finds a kind by its name.
func KindNamed(name string) (*Kind, error) {
	names := make([]string, 0, len(Kinds))
	for i := range Kinds {
		if Kinds[i].Name == name {
			return &Kinds[i], nil
		}
		names = append(names, Kinds[i].Name)
	}
	return nil, &InputError{Doing: "import " + name, Reason: "is no kind of file: " + suggestion(name, names)}
}

// ColumnNames are the columns that a file of the kind may have.
func (k *Kind) ColumnNames() []string {
	names := make([]string, 0, len(k.Columns)+1)
	money := false
	for _, c := range k.Columns {
		names = append(names, c.Name)
		money = money || c.Type == Money
	}
	if money {
		names = append(names, CurrencyColumn)
	}
	return names
}

func (k *Kind) column(name string) *Column {
	i := slices.IndexFunc(k.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &k.Columns[i]
}

func (k *Kind) isKey(name string) bool { return slices.Contains(k.Key, name) }
