package intake

import "testing"

func TestWhatBuyersPayWithIsGivenOnce(t *testing.T) {
	d := newDesk(t)
	d.must("buyers", "code\nann\n", "+1 ~0 =0 !0")
	const text = "code,buyer,kind,amount,currency,rate,discount_kind,granted_at,min_spend\n" +
		"V-1,ann,voucher,100.00,CNY,,,2024-05-01 10:00:00,50\n" +
		"D-1,ann,discount,,,0.9,commercial,2024-05-02 10:00:00,\n"
	d.must("instruments", text, "+2 ~0 =0 !0")
	d.must("instruments", text, "+0 ~0 =2 !0")
	d.wantRows(`SELECT concat_ws(' ', code, kind, amount, currency, rate, discount_kind, min_spend) FROM instruments ORDER BY code`,
		"D-1 discount 0.900000000000 commercial\nV-1 voucher 100.000000000000 CNY 50.000000000000")
	d.wantRows(`SELECT concat_ws(' ', b.code, d.job, to_char(look_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI')) FROM due d JOIN buyers b ON b.id = d.subject`,
		"ann billing 2024-05-01 10:00")
}

func TestAnInstrumentIsADiscountOrIsWorthSomething(t *testing.T) {
	d := newDesk(t)
	d.must("buyers", "code\nann\n", "+1 ~0 =0 !0")
	d.take("instruments", "code,buyer,kind,amount,currency,rate,discount_kind,granted_at,borne_by\n"+
		"A,ann,discount,,,,commercial,2024-05-01 10:00:00,\n"+
		"B,ann,discount,,,0.9,,2024-05-01 10:00:00,\n"+
		"C,ann,discount,5.00,CNY,0.9,commercial,2024-05-01 10:00:00,\n"+
		"D,ann,coupon,,,,,2024-05-01 10:00:00,\n"+
		"E,ann,card,5.00,CNY,0.9,,2024-05-01 10:00:00,\n"+
		"F,ann,voucher,5.00,CNY,,,2024-05-01 10:00:00,seller\n")
	d.wantRejects(`instruments.csv,2,rate,,"is empty: a discount leaves a part of the price, such as 0.9"
instruments.csv,3,discount_kind,,"is empty: a discount comes from a contract (commercial), a campaign (promotional) or a coupon"
instruments.csv,4,amount,,"is filled in: a discount is worth a part of the price, not an amount"
instruments.csv,5,amount,,is empty: what is a coupon worth?
instruments.csv,6,rate,,only a discount has a rate and a discount_kind
instruments.csv,7,seller,,is empty: which seller bears it?
`)
}

func TestAnOrderThatIsNotPaidConcernsItsBuyer(t *testing.T) {
	d := newDesk(t)
	d.must("buyers", "code\nann\nbob\n", "+2 ~0 =0 !0")
	d.must("orders", "code,buyer,access_type,placed_at,paid_at,amount\n"+
		"o1,ann,saas,2024-03-01 10:00:00,,10.00 CNY\n"+
		"o2,bob,saas,2024-03-01 10:00:00,2024-03-01 10:05:00,10.00 CNY\n", "+2 ~0 =0 !0")
	d.wantRows(`SELECT b.code FROM due d JOIN buyers b ON b.id = d.subject WHERE d.job = 'billing'`, "ann")
}
