package bank

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"time"
)

const painNamespace = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"

// The part of the message that we write, in the order of its schema.
type (
	painDocument struct {
		XMLName    xml.Name       `xml:"Document"`
		Namespace  string         `xml:"xmlns,attr"`
		Initiation painInitiation `xml:"CstmrCdtTrfInitn"`
	}
	painInitiation struct {
		Header  painHeader  `xml:"GrpHdr"`
		Payment painPayment `xml:"PmtInf"`
	}
	painHeader struct {
		ID        string    `xml:"MsgId"`
		CreatedAt string    `xml:"CreDtTm"`
		Count     string    `xml:"NbOfTxs"`
		Sum       string    `xml:"CtrlSum"`
		Initiator painParty `xml:"InitgPty"`
	}
	painParty struct {
		Name    string       `xml:"Nm,omitempty"`
		Address *painAddress `xml:"PstlAdr,omitempty"`
	}
	painAddress struct {
		Country string `xml:"Ctry"`
	}
	painPayment struct {
		ID          string         `xml:"PmtInfId"`
		Method      string         `xml:"PmtMtd"`
		Batch       bool           `xml:"BtchBookg"`
		Count       string         `xml:"NbOfTxs"`
		Sum         string         `xml:"CtrlSum"`
		ExecuteOn   string         `xml:"ReqdExctnDt>Dt"`
		Debtor      painParty      `xml:"Dbtr"`
		DebtorAcct  painAccount    `xml:"DbtrAcct"`
		DebtorAgent painAgent      `xml:"DbtrAgt"`
		Charges     string         `xml:"ChrgBr"`
		Transfers   []painTransfer `xml:"CdtTrfTxInf"`
	}
	painAccount struct {
		IBAN     string     `xml:"Id>IBAN,omitempty"`
		Other    *painOther `xml:"Id>Othr,omitempty"`
		Currency string     `xml:"Ccy,omitempty"`
	}
	painOther struct {
		ID string `xml:"Id"`
	}
	painAgent struct {
		BIC    string      `xml:"FinInstnId>BICFI,omitempty"`
		Branch *painBranch `xml:"FinInstnId>ClrSysMmbId,omitempty"`
		Other  *painOther  `xml:"FinInstnId>Othr,omitempty"`
	}
	painBranch struct {
		ID string `xml:"MmbId"`
	}
	painText struct {
		Line string `xml:"Ustrd"`
	}
	painAmount struct {
		Currency string `xml:"Ccy,attr"`
		Amount   string `xml:",chardata"`
	}
	painTransfer struct {
		Instruction   string      `xml:"PmtId>InstrId"`
		EndToEnd      string      `xml:"PmtId>EndToEndId"`
		Amount        painAmount  `xml:"Amt>InstdAmt"`
		CreditorAgent *painAgent  `xml:"CdtrAgt,omitempty"`
		Creditor      painParty   `xml:"Cdtr"`
		CreditorAcct  painAccount `xml:"CdtrAcct"`
		Remittance    *painText   `xml:"RmtInf,omitempty"`
	}
)

// WritePain writes the order as an ISO 20022 credit transfer initiation,
// pain.001.001.09: one payment block, so that its control sums are those of the
// message. What a bank would not take is ErrBadOrder, and nothing is written.
func WritePain(w io.Writer, o Order) error {
	if err := o.Check(); err != nil {
		return err
	}
	count, sum := o.Sum()
	n, total := strconv.Itoa(count), sum.Amount.Fixed(sum.Currency.Places())
	p := painPayment{
		ID: o.ID, Method: "TRF", Batch: false, Count: n, Sum: total, ExecuteOn: o.ExecuteOn.String(),
		Debtor: painPartyOf(o.From.Holder, o.From.Country), DebtorAcct: painAccountOf(o.From), DebtorAgent: painDebtorAgent(o.From), Charges: "SHAR",
		Transfers: make([]painTransfer, 0, count),
	}
	p.DebtorAcct.Currency = string(sum.Currency)
	for _, t := range o.Transfers {
		transfer := painTransfer{
			Instruction: t.Reference, EndToEnd: t.Reference, Amount: painAmount{string(t.Amount.Currency), t.Amount.Amount.Fixed(t.Amount.Currency.Places())},
			CreditorAgent: painAgentOf(t.To), Creditor: painPartyOf(t.To.Holder, t.To.Country), CreditorAcct: painAccountOf(t.To),
		}
		if t.Remittance != "" {
			transfer.Remittance = &painText{t.Remittance}
		}
		p.Transfers = append(p.Transfers, transfer)
	}
	document := painDocument{Namespace: painNamespace, Initiation: painInitiation{
		Header:  painHeader{ID: o.ID, CreatedAt: o.CreatedAt.Format(time.RFC3339), Count: n, Sum: total, Initiator: painParty{Name: o.Initiator}},
		Payment: p,
	}}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write payment order %s: %w", o.ID, err)
	}
	out := xml.NewEncoder(w)
	out.Indent("", "  ")
	if err := out.Encode(document); err != nil {
		return fmt.Errorf("write payment order %s: %w", o.ID, err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("write payment order %s: %w", o.ID, err)
	}
	return nil
}

func painPartyOf(name, country string) painParty {
	p := painParty{Name: name}
	if country != "" {
		p.Address = &painAddress{country}
	}
	return p
}

func painAccountOf(a Account) painAccount {
	if a.IBAN != "" {
		return painAccount{IBAN: a.IBAN}
	}
	return painAccount{Other: &painOther{a.Number}}
}

// painAgentOf is the bank of an account; nil where only the IBAN names it.
func painAgentOf(a Account) *painAgent {
	if a.BIC == "" && a.Branch == "" {
		return nil
	}
	agent := &painAgent{BIC: a.BIC}
	if a.Branch != "" {
		agent.Branch = &painBranch{a.Branch}
	}
	return agent
}

// painDebtorAgent must be there: a bank that is not named is NOTPROVIDED.
func painDebtorAgent(a Account) painAgent {
	if agent := painAgentOf(a); agent != nil {
		return *agent
	}
	return painAgent{Other: &painOther{"NOTPROVIDED"}}
}
