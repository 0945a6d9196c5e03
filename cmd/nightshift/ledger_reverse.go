package main

import (
	"github.com/spf13/cobra"

	"nightshift/jobs"
)

func (p *program) ledgerReverse() *cobra.Command {
	var h byHand
	cmd := &cobra.Command{
		Use: "reverse KEY --because TEXT", Short: "Take back a journal that should not have been booked", Args: takes(1, 1, "the key of a journal, such as money/cn/M-1"),
		Long: `Reverse books the opposite of a journal, generated from it, under reversal/KEY:
once, with who did it and why. The journal itself stays. An account is not taken
past its floor: money that was spent cannot be taken back. What is more than its
journal (orders, use, renewals, refunds, statements, payments) has acts of its own,
and the error names them.`,
		Example: "  nightshift ledger reverse money/cn/M-1 --because \"the bank reported it for another marketplace\"\n  nightshift ledger reverse issue/cn/V-20 --because \"given to the wrong buyer\" --actor ann",
		RunE: func(cmd *cobra.Command, args []string) error {
			ask, site, err := h.act(p, "reverse", nil, false)
			if err != nil {
				return err
			}
			e, err := p.engine(cmd.Context())
			if err != nil {
				return err
			}
			back, err := e.ReverseJournal(cmd.Context(), jobs.ReverseAsk{Site: site.Name, Key: args[0], Actor: ask.Actor, Because: ask.Because, At: ask.At})
			if err != nil {
				return err
			}
			if p.json {
				return p.printJSON(map[string]any{"key": back.Key, "reverses": back.Reverses, "by": ask.Actor, "because": ask.Because})
			}
			p.printf("%s\n", back)
			return nil
		},
	}
	h.options(p, cmd, false)
	return cmd
}
