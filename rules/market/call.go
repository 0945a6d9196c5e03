package market

import (
	"encoding/json"
	"fmt"
	"time"
)

// Activities of the seller's interface that renewal calls, by their published
// names.
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
	Subject  int64
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

// StatusCall tells the seller to freeze what was sold, or to let it be used again.
func (s *Subscription) StatusCall(status, name string, at time.Time) Call {
	return s.call("call/"+status+"/"+name+"/"+CallTime(at), UpdateInstanceStatus, status, at,
		StatusUpdate{Activity: UpdateInstanceStatus, Instance: s.InstanceCode(), Status: status, TestFlag: "0"})
}

// ReleaseCall tells the seller to give the instance up, and the data with it.
func (s *Subscription) ReleaseCall(name string, at time.Time) Call {
	return s.call("call/"+ReleaseInstance+"/"+name, ReleaseInstance, "", at, Release{Activity: ReleaseInstance, Instance: s.InstanceCode(), TestFlag: "0"})
}

func (s *Subscription) call(key, activity, scene string, at time.Time, body any) Call {
	payload, err := json.Marshal(body)
	if err != nil {
		panic("write a call to a seller: " + err.Error()) // texts and digits alone
	}
	return Call{Key: key, Activity: activity, Scene: scene, SellerID: s.SellerID, Subject: s.ID, Instance: s.InstanceCode(), At: at, Payload: payload}
}
