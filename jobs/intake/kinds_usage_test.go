package intake

import (
	"fmt"
	"strings"
	"testing"
)

// shop is a desk with a seller, a buyer, a product and an instance of it.
func shop(t *testing.T) *desk {
	d := newDesk(t)
	d.must("sellers", "code\nacme\n", "+1 ~0 =0 !0")
	d.must("buyers", "code\nann\n", "+1 ~0 =0 !0")
	d.must("products", "code,seller,access_type\np1,acme,saas\n", "+1 ~0 =0 !0")
	return d
}

const oneInstance = "code,buyer,seller,product,access_type,charge_mode,opened_at\ni1,ann,acme,p1,saas,ON_DEMAND,2024-01-01 00:00:00\n"

const usageHeader = "received_at,upload,metering_sn,seller,instance,item,record_time,begin_time,end_time,usage_value\n"

// uploaded is n records of one upload.
func uploaded(upload string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "2024-06-01 14:10:00,%s,%s-%d,acme,i1,units,20240601T060000Z,20240601T050000Z,20240601T053000Z,1\n", upload, upload, i)
	}
	return b.String()
}

func TestUseIsTakenInWordForWord(t *testing.T) {
	d := shop(t)
	d.must("instances", oneInstance, "+1 ~0 =0 !0")
	text := usageHeader +
		"2024-06-01 14:10:00,,,,nobody,,yesterday,,,minus one\n" +
		"2024-06-01 14:09:00,,s1,acme,i1,units,20240601T060000Z,20240601T050000Z,20240601T053000Z,0\n" +
		"2024-06-01 14:10:00,,s1,acme,i1,units,20240601T060000Z,20240601T050000Z,20240601T053000Z,-1\n" +
		"2024-06-01 14:10:00,,s1,acme,i1,units,20240601T060000Z,20240601T050000Z,20240601T053000Z,-1\n"
	d.must("usage", text, "+4 ~0 =0 !0")
	d.must("usage", text, "+0 ~0 =4 !0")
	d.wantRows(`SELECT concat_ws('|', metering_sn, instance, record_time, usage_value) FROM usage_records ORDER BY id`, strings.Join([]string{
		"s1|i1|20240601T060000Z|0", "|nobody|yesterday|minus one", "s1|i1|20240601T060000Z|-1", "s1|i1|20240601T060000Z|-1"}, "\n"))
	d.wantRows(`SELECT concat_ws(' ', b.code, d.job, to_char(look_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI')) FROM due d JOIN buyers b ON b.id = d.subject`,
		"ann billing 2024-01-01 00:00")
}

func TestAnUploadOfMoreThanAThousandRecordsIsRefusedAsAWhole(t *testing.T) {
	d := shop(t)
	d.must("usage", usageHeader+uploaded("A", 1000), "+1000 ~0 =0 !0")
	d.must("usage", usageHeader+uploaded("", 1001), "+1001 ~0 =0 !0")
	if got := d.take("usage", usageHeader+uploaded("B", 1001)); !strings.HasPrefix(got, "+0 ~0 =0 !1001 not kept") {
		t.Errorf("1001 records in one upload: %s", got)
	}
	d.wantRows(`SELECT upload || ':' || count(*) FROM usage_records GROUP BY upload ORDER BY upload`, ":1001\nA:1000")
	d.req.Partial = true
	d.must("usage", usageHeader+uploaded("B", 1001)+uploaded("C", 2), "+2 ~0 =0 !1001")
	d.wantRows(`SELECT upload || ':' || count(*) FROM usage_records GROUP BY upload ORDER BY upload`, ":1001\nA:1000\nC:2")
}

// An upload that comes in several files has no more room than in one: what has none is
// refused as a whole, and said so; what was taken in stays, and may come again.
func TestAnUploadOverSeveralFilesHasAThousandRecordsInAll(t *testing.T) {
	d := shop(t)
	d.must("sellers", "code\nglobex\n", "+1 ~0 =0 !0")
	first := usageHeader + uploaded("A", 998)
	d.must("usage", first, "+998 ~0 =0 !0")
	more := func(n int) string { return strings.ReplaceAll(uploaded("A", n), ",A-", ",A-more-") }
	d.take("usage", usageHeader+more(3))
	const full = `"is an upload of 1001 records, 998 of them taken in before: one has at most 1000, and these 3 are refused as a whole"`
	d.wantRejects("usage.csv,2,upload,A," + full + "\nusage.csv,3,upload,A," + full + "\nusage.csv,4,upload,A," + full + "\n")
	d.req.Partial = true
	d.must("usage", usageHeader+more(3)+uploaded("B", 2)+uploaded("", 1), "+3 ~0 =0 !3")
	d.must("usage", usageHeader+more(2), "+2 ~0 =0 !0")
	d.must("usage", first, "+0 ~0 =998 !0")
	d.must("usage", usageHeader+more(2), "+0 ~0 =2 !0")
	d.must("usage", strings.ReplaceAll(usageHeader+more(1), ",acme,", ",globex,"), "+1 ~0 =0 !0") // another seller's A
	d.wantRows(`SELECT upload || ':' || count(*) FROM usage_records GROUP BY upload ORDER BY upload`, ":1\nA:1001\nB:2")
}

func TestPricesAreReadAsPeopleWriteThem(t *testing.T) {
	d := shop(t)
	const header = "product,item,from_at,model,cycle,accumulation,brackets,currency,per\n"
	const good = header + "p1,minutes,2024-01-01 00:00:00,step,day,month,3:0.3;:0.2,CNY,1\np1,tokens,2024-01-01 00:00:00,fixed,hour,none,0.0000000001,CNY,1000000\n"
	d.must("prices", good, "+2 ~0 =0 !0")
	d.must("prices", good, "+0 ~0 =2 !0")
	d.must("prices", "product,item,from_at,cycle,brackets,currency\np1,calls,2024-01-01 00:00:00,hour,0.01,CNY\n", "+1 ~0 =0 !0")
	d.take("prices", header+
		"p1,a,2024-01-01 00:00:00,step,day,none,3:0.3,CNY,1\n"+
		"p1,b,2024-01-01 00:00:00,tier,day,month,3:0.3;:0.2,CNY,1\n"+
		"p1,c,2024-01-01 00:00:00,fixed,day,none,0.3,XYZ,1\n"+
		"p1,d,2024-01-01 00:00:00,fixed,day,none,0.3,CNY,3\n"+
		"p1,e,2024-01-01 00:00:00,fixed,day,none,1000000000000000000000000000000,CNY,1\n")
	d.wantRejects(`prices.csv,2,brackets,3:0.3,"read prices ""3:0.3"": the last bracket, and only it, has no end: write it like 3:0.3;:0.2"
prices.csv,3,model,tier,"a tier price adds nothing up: leave accumulation at none, or make it a step price"
prices.csv,4,currency,XYZ,"unknown currency ""XYZ"": use an ISO 4217 code such as CNY, USD or BRL"
prices.csv,5,per,3,"is no per: use one of 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000"
prices.csv,6,brackets,1000000000000000000000000000000,"read prices ""1000000000000000000000000000000"": number out of range: 1000000000000000000000000000000 needs more than 26 digits before the point or 12 after"
`)
}

// What no index could hold is refused by its row, and not as an error of the file.
func TestARecordHasACodeOfATrade(t *testing.T) {
	d := shop(t)
	d.must("usage", usageHeader+uploaded("", 1), "+1 ~0 =0 !0")
	long := strings.Repeat("x", 201)
	if got := d.take("usage", strings.ReplaceAll(usageHeader+uploaded("", 1), "i1", long)); !strings.HasPrefix(got, "+0 ~0 =0 !1 not kept") {
		t.Errorf("an instance of 201 bytes: %s", got)
	}
}

func TestPackagesAreOwned(t *testing.T) {
	d := shop(t)
	const header = "code,buyer,quota,valid_from,valid_until,purchased_at,threshold,price\n"
	d.must("packs", header+"P1,ann,1000,2024-01-01 00:00:00,2025-01-01 00:00:00,2024-01-01 00:00:00,100,200.00 CNY\n", "+1 ~0 =0 !0")
	d.take("packs", header+
		"P2,ann,-1,2024-01-01 00:00:00,2025-01-01 00:00:00,2024-01-01 00:00:00,,\n"+
		"P3,ann,1,2024-01-01 00:00:00,2024-01-01 00:00:00,2024-01-01 00:00:00,,\n"+
		"P4,ann,1,2024-01-01 00:00:00,2025-01-01 00:00:00,2024-01-01 00:00:00,100,\n")
	d.wantRejects(`packs.csv,2,quota,-1,is less than nothing: write 0 or more
packs.csv,3,valid_until,2024-01-01T00:00:00+08:00,"is not after valid_from, 2024-01-01T00:00:00+08:00"
packs.csv,4,price,,is empty: what does the package cost that is bought again at the threshold?
`)
}

func TestAPackageThatIsOnlyWatchedNeedsNoPrice(t *testing.T) {
	d := shop(t)
	d.must("packs", "code,buyer,quota,valid_from,valid_until,purchased_at,threshold,authorised\nP1,ann,1000,2024-01-01 00:00:00,2025-01-01 00:00:00,2024-01-01 00:00:00,100,no\n", "+1 ~0 =0 !0")
}

// bought are the packages from one number to another of a purchase, each for the
// instance of its number.
func bought(purchase string, from, to int) string {
	var b strings.Builder
	for n := from; n <= to; n++ {
		fmt.Fprintf(&b, "%[1]s-%[2]d,ann,i%[2]d,%[1]s,true,100,2024-01-01 00:00:00,2025-01-01 00:00:00,2024-01-01 00:00:00\n", purchase, n)
	}
	return b.String()
}

func TestAPurchaseHasThirtyPackagesThatStopAtMost(t *testing.T) {
	d := shop(t)
	var instances strings.Builder
	for n := range 40 {
		fmt.Fprintf(&instances, "i%d,ann,acme,p1,saas,ON_DEMAND_PKG,2024-01-01 00:00:00\n", n+1)
	}
	d.must("instances", strings.SplitAfter(oneInstance, "\n")[0]+instances.String(), "+40 ~0 =0 !0")
	const header = "code,buyer,instance,purchase,stop_when_used_up,quota,valid_from,valid_until,purchased_at\n"
	d.must("packs", header+bought("A", 1, 29), "+29 ~0 =0 !0")
	const tooMany = "the package is number 31 of the purchase, which may have 30 that stop when they are used up: name the purchase that it came with, or ask for the rest as another one"
	d.take("packs", header+bought("A", 30, 31))
	d.wantRejects("packs.csv,3,purchase,A,\"" + tooMany + "\"\n")
	d.must("packs", header+bought("A", 30, 30)+bought("A", 30, 30), "+1 ~0 =1 !0")
	d.must("packs", header+bought("A", 1, 30), "+0 ~0 =30 !0")

	// The one that is new is too many, wherever it stands.
	d.take("packs", header+bought("A", 31, 31)+bought("A", 1, 30))
	d.wantRejects("packs.csv,2,purchase,A,\"" + tooMany + "\"\n")

	// Others of the purchase are as many as there are, and another purchase is another one.
	d.must("packs", header+strings.ReplaceAll(bought("A", 31, 35), "true", "false")+bought("B", 1, 30), "+35 ~0 =0 !0")
	d.take("packs", "code,buyer,stop_when_used_up,quota,valid_from,valid_until,purchased_at\nA-31,ann,true,100,2024-01-01 00:00:00,2025-01-01 00:00:00,2024-01-01 00:00:00\n")
	d.wantRejects("packs.csv,2,purchase,A,\"" + tooMany + "\"\n")
}

func TestEachPackageOfAPurchaseHasAnInstanceOfItsOwn(t *testing.T) {
	d := shop(t)
	d.must("instances", oneInstance, "+1 ~0 =0 !0")
	const header = "code,buyer,instance,purchase,stop_when_used_up,quota,valid_from,valid_until,purchased_at\n"
	const rest = ",100,2024-01-01 00:00:00,2025-01-01 00:00:00,2024-01-01 00:00:00\n"
	d.must("packs", header+"P1,ann,i1,A,true"+rest+"P2,ann,i1,B,true"+rest+"P3,ann,i1,A,false"+rest+"P4,ann,,,true"+rest, "+4 ~0 =0 !0")
	d.take("packs", header+"P5,ann,,A,true"+rest+"P6,ann,i1,A,true"+rest)
	d.wantRejects("packs.csv,2,instance,,is empty: which instance does the package stop that was bought in the purchase A?\n" +
		"packs.csv,3,instance,i1,is that of the package P1 too: each package of the purchase A that stops when it is used up has an instance of its own; name the one it was bought for\n")
}

func TestAnInstanceKeepsItsBuyer(t *testing.T) {
	d := shop(t)
	d.must("instances", oneInstance, "+1 ~0 =0 !0")
	d.must("buyers", "code\nbob\n", "+1 ~0 =0 !0")
	if got := d.take("instances", strings.Replace(oneInstance, "ann", "bob", 1)); !strings.Contains(got, "instance i1 belongs to another buyer") {
		t.Errorf("got %s", got)
	}
}
