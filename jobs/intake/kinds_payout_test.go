package intake

import "testing"

func TestABankAccountIsReportedOnceAndHasOneNumber(t *testing.T) {
	d := newDesk(t)
	d.must("sellers", "code\nacme\n", "+1 ~0 =0 !0")
	const text = "code,seller,holder,iban,number,bic,changed_at\n" +
		"OWN,,Cloud Market,,1109,ICBKCNBJ,2024-01-01 00:00:00\n" +
		"B-1,acme,Acme,DE89370400440532013000,,,2024-01-01 00:00:00\n"
	d.must("bank_accounts", text, "+2 ~0 =0 !0")
	d.must("bank_accounts", text, "+0 ~0 =2 !0")
	d.take("bank_accounts", "code,seller,holder,iban,number,changed_at\n"+
		"B-1,acme,Somebody Else,DE89370400440532013000,,2024-01-01 00:00:00\n"+
		"B-2,acme,Acme,,,2024-01-01 00:00:00\n"+
		"B-3,acme,Acme,DE89370400440532013000,1,2024-01-01 00:00:00\n"+
		"B-4,nobody,Acme,,1,2024-01-01 00:00:00\n")
	d.wantRows(`SELECT concat_ws(' ', code, holder, iban, number) FROM bank_accounts ORDER BY code`, "B-1 Acme DE89370400440532013000\nOWN Cloud Market 1109")
}
