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
		"F,ann,voucher,5.00,CNY,,,2024-05-01 10:00:00,seller\n"+
		"G,ann,discount,,,1.2,commercial,2024-05-01 10:00:00,\n"+
		"H,ann,discount,,,-0.1,commercial,2024-05-01 10:00:00,\n")
	d.wantRejects(`instruments.csv,2,rate,,"is empty: a discount leaves a part of the price, such as 0.9"
instruments.csv,3,discount_kind,,"is empty: a discount comes from a contract (commercial), a campaign (promotional) or a coupon"
instruments.csv,4,amount,,"is filled in: a discount is worth a part of the price, not an amount"
instruments.csv,5,amount,,is empty: what is a coupon worth?
instruments.csv,6,rate,,only a discount has a rate and a discount_kind
instruments.csv,7,seller,,is empty: which seller bears it?
instruments.csv,8,rate,1.2,"is no part of anything: write a number from 0 to 1, such as 0.9"
instruments.csv,9,rate,-0.1,"is no part of anything: write a number from 0 to 1, such as 0.9"
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

func TestMoneyIsReportedOnceAndItsGatewayLinesBesideIt(t *testing.T) {
	d := newDesk(t)
	d.must("buyers", "code,credit_limit,month_end\nann,50.00 CNY,no\nbob,,yes\n", "+2 ~0 =0 !0")
	d.wantRows(`SELECT concat_ws(' ', code, credit_limit, currency, month_end) FROM buyers ORDER BY code`, "ann 50.000000000000 CNY f\nbob t")
	d.must("limits", "buyer,from_at,amount,currency\nann,2024-05-01 00:00:00,80,CNY\n", "+1 ~0 =0 !0")
	d.must("limits", "buyer,from_at,amount,currency\nann,2024-05-01 00:00:00,70,CNY\n", "+0 ~1 =0 !0")
	const text = "code,buyer,kind,account,amount,at,reference\n" +
		"M-1,ann,top_up,,99.00 CNY,2024-05-01 10:00:00,G-1\n" +
		"M-2,ann,chargeback,,9.00 CNY,2024-05-02 10:00:00,G-2\n" +
		"M-3,bob,opening,month_end,7.00 CNY,2024-04-01 00:00:00,\n"
	d.must("money", text, "+3 ~0 =0 !0")
	d.must("money", text, "+0 ~0 =3 !0")
	d.take("money", "code,buyer,kind,account,amount,at,reference\n"+
		"M-1,ann,top_up,,98.00 CNY,2024-05-01 10:00:00,G-1\n"+
		"M-4,ann,repayment,cash,98.00 CNY,2024-05-01 10:00:00,\n"+
		"M-5,ann,card,credit,98.00 CNY,2024-05-01 10:00:00,\n"+
		"M-6,ann,top_up,,1e30 CNY,2024-05-01 10:00:00,\n"+
		"M-7,ann,top_up,,1000000000000000000000000000000 CNY,2024-05-01 10:00:00,\n"+
		"M-8,ann,top_up,,1.00 XYZ,2024-05-01 10:00:00,\n")
	d.wantRejects(`money.csv,3,account,cash,"is cash: a repayment pays credit, month_end or arrears; paying cash in is a top_up"
money.csv,4,account,credit,is filled in: only a repayment and an opening say which account
money.csv,5,amount,1e30 CNY,"read number ""1e30"": not a plain decimal number: write it like 1234.56"
money.csv,6,amount,1000000000000000000000000000000 CNY,number out of range: 1000000000000000000000000000000 needs more than 26 digits before the point or 12 after
money.csv,7,amount,1.00 XYZ,"unknown currency ""XYZ"": use an ISO 4217 code such as CNY, USD or BRL"
money.csv,2,code,M-1,"was reported before, buyer ann, kind top_up, amount 99.000000000000, currency CNY, at 2024-05-01 02:00:00+00, reference G-1: it does not change; report what corrects it under a code of its own"
`)
	d.must("gateway", "reference,at,amount,kind\nG-1,2024-05-01 10:00:01,99.00 CNY,capture\nG-2,2024-05-02 10:00:00,-9.00 CNY,dispute\n", "+2 ~0 =0 !0")
	d.wantRows(`SELECT concat_ws(' ', b.code, to_char(look_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI')) FROM due d JOIN buyers b ON b.id = d.subject WHERE d.job = 'billing' ORDER BY 1`,
		"ann 2024-05-01 00:00\nbob 2024-04-01 00:00")
}
