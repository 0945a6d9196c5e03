package market

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Numbers of orders and of their lines fit into 64 characters, and two orders have
// two of them, however alike they begin.
func TestTheNumberOfAnOrderFitsTheInterface(t *testing.T) {
	s := Subscription{ID: 1, Code: "S-1", Site: "cn", Start: time.Unix(0, 0), End: time.Unix(1, 0)}
	number := func(order string) (Refresh, string) {
		t.Helper()
		call, err := s.RefreshCall(SceneRenewal, "cn/S-1/2024-03-08", order, "P-1", Money{}, time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		var body Refresh
		if err := json.Unmarshal(call.Payload, &body); err != nil {
			t.Fatal(err)
		}
		if len(body.Order) > 57 || len(body.OrderLine) > 64 || !utf8.ValidString(body.Order) {
			t.Errorf("%s became %s and %s", order, body.Order, body.OrderLine)
		}
		return body, body.Order
	}
	if body, got := number("renewal/cn/S-1/2024-03-08"); got != "renewal/cn/S-1/2024-03-08" || body.OrderLine != got+"-000001" {
		t.Errorf("%+v", body)
	}
	if _, got := number(strings.Repeat("a", 57)); got != strings.Repeat("a", 57) {
		t.Error(got)
	}
	long := "renewal/cn/" + strings.Repeat("订阅", 30)
	_, one := number(long + "/2024-03-08")
	_, other := number(long + "/2025-03-08")
	_, again := number(long + "/2024-03-08")
	if one == other || one != again || !strings.HasPrefix(one, "renewal/cn/订阅") {
		t.Errorf("%s, %s, %s", one, other, again)
	}
}
