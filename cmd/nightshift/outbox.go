package main

import (
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"nightshift/rules"
	"nightshift/storage"
)

// outbox is the command outbox.
func (p *program) outbox() *cobra.Command {
	q := storage.OutboxQuery{}
	var from, to string
	cmd := &cobra.Command{
		Use: "outbox", Short: "List what the interfaces of sellers have to be told",
		Long: `Outbox lists the calls that runs left for the interfaces of sellers, oldest first:
refreshInstance where a validity ends at another instant, updateInstanceStatus
where something is frozen or can be used again, releaseInstance where it is given
up, queryInstance where the seller said that an opening is in progress. Each was written in the transaction of its event, once. Sending them is
another's work: signature and time stamp of a request belong to its sending.

Exit codes: 0 done; 2 wrongly asked.`,
		Args: takes(0, 0, "no words, only options"),
		Example: `  nightshift outbox --from 2026-04-01 --to 2026-04-30
  nightshift outbox --seller acme
  nightshift outbox --subscription S-1 --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			site, err := p.siteRules()
			if err != nil {
				return err
			}
			q.Site = site.Name
			if from != "" {
				if q.From, err = date("from", from); err != nil {
					return err
				}
			}
			if to != "" {
				if q.To, err = date("to", to); err != nil {
					return err
				}
			}
			store, err := p.open(cmd.Context())
			if err != nil {
				return err
			}
			list, err := store.Outbox(cmd.Context(), q)
			if err != nil {
				return err
			}
			return p.showOutbox(site, list)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the first business date of the runs that wrote them")
	cmd.Flags().StringVar(&to, "to", "", "the last one")
	cmd.Flags().StringVar(&q.Seller, "seller", "", "of one seller, by code")
	cmd.Flags().StringVar(&q.Subscription, "subscription", "", "of one subscription, by code")
	cmd.Flags().IntVar(&q.Limit, "limit", 100, "how many at most")
	p.siteOption(cmd)
	return cmd
}

// callView is a call for machines.
type callView struct {
	Key          string          `json:"key"`
	At           time.Time       `json:"at"`
	Timestamp    int64           `json:"timestamp"` // of the event, in milliseconds
	Seller       string          `json:"seller,omitempty"`
	Subscription string          `json:"subscription,omitempty"`
	Instance     string          `json:"instance"`
	Activity     string          `json:"activity"`
	Scene        string          `json:"scene,omitempty"`
	Date         string          `json:"date"`
	Run          int64           `json:"run,omitempty"`
	Body         json.RawMessage `json:"body"`
}

func (p *program) showOutbox(site *rules.Site, list []storage.Outgoing) error {
	views, g := []callView{}, &grid{}
	g.row("at", "seller", "subscription", "instance", "activity", "scene", "body")
	for _, c := range list {
		views = append(views, callView{Key: c.Key, At: c.At.In(site.Zone), Timestamp: c.At.UnixMilli(), Seller: c.Seller, Subscription: c.Subscription, Instance: c.Instance,
			Activity: c.Activity, Scene: c.Scene, Date: c.On.String(), Run: c.RunID, Body: c.Payload})
		g.row(rfc3339(c.At, site.Zone), c.Seller, c.Subscription, c.Instance, c.Activity, c.Scene, string(c.Payload))
	}
	if p.json {
		return p.printJSON(views)
	}
	if len(list) == 0 {
		p.printf("no calls: a run of renewal, billing or openings leaves them where a seller has to act\n")
		return nil
	}
	return g.print(p.out)
}
