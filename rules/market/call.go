package market

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Activities of the seller's interface that renewal and billing call, by their
// published names.
const (
	RefreshInstance      = "refreshInstance"
	UpdateInstanceStatus = "updateInstanceStatus"
	ReleaseInstance      = "releaseInstance"
)

// Scenes of refreshInstance, and the statuses of updateInstanceStatus.
const (
	SceneTrialToFormal = "TRIAL_TO_FORMAL"
	SceneRenewal       = "RENEWAL"
	SceneUnsubscribe   = "UNSUBSCRIBE_RENEWAL_PERIOD"
	SceneRenewalChange = "RENEWAL_CHANGE"
	StatusFreeze       = "FREEZE"
	StatusUnfreeze     = "UNFREEZE"
)

// Call is what the interface of a seller has to be told because of an event,
// once. It is kept with its event; sending it is another's work.
type Call struct {
	Key      string // the event's, such as call/RENEWAL/cn/S-1/2024-03-08
	Activity string
	Scene    string // or the status; empty for a release
	SellerID int64  // 0 where nobody is named
	Subject  int64  // a subscription, or where Metered an instance that is charged by use; 0: neither
	Metered  bool
	Instance string
	At       time.Time
	Payload  []byte // JSON, as it is sent
}

// CallTimeLayout is how the interface writes an instant, in UTC, with its
// milliseconds behind it.
const CallTimeLayout = "20060102150405"

// CallTime writes an instant as the interface does: yyyyMMddHHmmssSSS, in UTC.
func CallTime(t time.Time) string {
	t = t.UTC()
	return t.Format(CallTimeLayout) + fmt.Sprintf("%03d", t.Nanosecond()/int(time.Millisecond))
}

// callPlaces are the decimals of an amount on the interface, no more and no fewer.
const callPlaces = 3

// CallAmount writes an amount as the interface does: 850.000.
func CallAmount(m Money) (json.Number, error) {
	rounded, err := m.Amount.Round(callPlaces, RoundHalfUp)
	if err != nil {
		return "", fmt.Errorf("write the amount %s for a seller's interface: %w", m, err)
	}
	return json.Number(rounded.Fixed(callPlaces)), nil
}

// Refresh is the body of refreshInstance. A renewal is an order of its own; its
// number is that of its event.
type Refresh struct {
	Activity  string      `json:"activity"`
	Scene     string      `json:"scene"`
	Order     string      `json:"orderId"`
	OrderLine string      `json:"orderLineId"`
	Instance  string      `json:"instanceId"`
	Product   string      `json:"productId,omitempty"` // where the renewal is for another one
	Expires   string      `json:"expireTime"`
	Amount    json.Number `json:"amount,omitempty"` // below 0 for what goes back; empty where nobody said
	Currency  Currency    `json:"currency,omitempty"`
	TestFlag  string      `json:"testFlag"`
}

// StatusUpdate is the body of updateInstanceStatus.
type StatusUpdate struct {
	Activity string `json:"activity"`
	Instance string `json:"instanceId"`
	Status   string `json:"instanceStatus"`
	TestFlag string `json:"testFlag"`
}

// Release is the body of releaseInstance.
type Release struct {
	Activity string `json:"activity"`
	Instance string `json:"instanceId"`
	TestFlag string `json:"testFlag"`
}

// InstanceCode is what the seller knows the subscription by.
func (s *Subscription) InstanceCode() string {
	if s.Instance == "" {
		return s.Code
	}
	return s.Instance
}

// RefreshCall tells the seller that the validity ends at another instant because
// of an order: bought, or taken back.
func (s *Subscription) RefreshCall(scene, name, order, product string, amount Money, at time.Time) (Call, error) {
	order = orderNumber(order)
	body := Refresh{Activity: RefreshInstance, Scene: scene, Order: order, OrderLine: order + "-000001", Instance: s.InstanceCode(), Product: product,
		Expires: CallTime(s.EndsAt()), TestFlag: "0"}
	if amount.Currency != "" {
		var err error
		if body.Amount, err = CallAmount(amount); err != nil {
			return Call{}, err
		}
		body.Currency = amount.Currency
	}
	return s.call("call/"+scene+"/"+name, RefreshInstance, scene, at, body), nil
}

// mostOfNumber is how long an order's number may be on the interface, and that of its
// line, which has seven characters more.
const mostOfNumber = 64

// orderNumber is the number of an order as the interface takes it. One that is too
// long ends in a part of its SHA-256, so that it is still one order's alone.
func orderNumber(order string) string {
	most := mostOfNumber - len("-000001")
	if len(order) <= most {
		return order
	}
	sum := sha256.Sum256([]byte(order))
	end := "-" + hex.EncodeToString(sum[:12])
	return strings.ToValidUTF8(order[:most-len(end)], "") + end
}

// StatusCall tells the seller to freeze what was sold, or to let it be used again.
func (s *Subscription) StatusCall(status, name string, at time.Time) Call {
	return s.call(statusKey(status, name, at), UpdateInstanceStatus, status, at, statusBody(status, s.InstanceCode()))
}

func statusKey(status, name string, at time.Time) string {
	return "call/" + status + "/" + name + "/" + CallTime(at)
}

func statusBody(status, instance string) StatusUpdate {
	return StatusUpdate{Activity: UpdateInstanceStatus, Instance: instance, Status: status, TestFlag: "0"}
}

// ReleaseCall tells the seller to give the instance up, and the data with it.
func (s *Subscription) ReleaseCall(name string, at time.Time) Call {
	return s.call("call/"+ReleaseInstance+"/"+name, ReleaseInstance, "", at, releaseBody(s.InstanceCode()))
}

func releaseBody(instance string) Release {
	return Release{Activity: ReleaseInstance, Instance: instance, TestFlag: "0"}
}

func (s *Subscription) call(key, activity, scene string, at time.Time, body any) Call {
	return Call{Key: key, Activity: activity, Scene: scene, SellerID: s.SellerID, Subject: s.ID, Instance: s.InstanceCode(), At: at, Payload: written(body)}
}

// written is the body of a call, as it is sent.
func written(body any) []byte {
	payload, err := json.Marshal(body)
	if err != nil {
		panic("write a call to a seller: " + err.Error()) // texts and digits alone
	}
	return payload
}

// MeteredInstance is an instance that is charged by use: while its buyer owes too
// long it is frozen, and in the end released.
type MeteredInstance struct {
	ID, BuyerID, SellerID int64
	Site, Code            string
	OpenedAt, ClosedAt    time.Time // closed: zero while it is open
}

// OpenAt tells whether the instance was open at an instant.
func (m *MeteredInstance) OpenAt(at time.Time) bool {
	return !m.OpenedAt.After(at) && (m.ClosedAt.IsZero() || m.ClosedAt.After(at))
}

// StatusCall tells the seller to freeze the instance, or to let it be used again.
func (m *MeteredInstance) StatusCall(status string, at time.Time) Call {
	return m.call(statusKey(status, m.Site+"/"+m.Code, at), UpdateInstanceStatus, status, at, statusBody(status, m.Code))
}

// ReleaseCall tells the seller to give the instance up, once.
func (m *MeteredInstance) ReleaseCall(at time.Time) Call {
	return m.call(m.ReleaseKey(), ReleaseInstance, "", at, releaseBody(m.Code))
}

// ReleaseKey is the key of the event that the instance is given up.
func (m *MeteredInstance) ReleaseKey() string {
	return "call/" + ReleaseInstance + "/" + m.Site + "/" + m.Code
}

func (m *MeteredInstance) call(key, activity, scene string, at time.Time, body any) Call {
	return Call{Key: key, Activity: activity, Scene: scene, SellerID: m.SellerID, Subject: m.ID, Metered: true, Instance: m.Code, At: at, Payload: written(body)}
}
