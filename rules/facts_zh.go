package rules

import "strings"

// inChinese is what facts mean, for those who read explanations in Chinese. A
// stopwatch is named by what it begins with. A fact that is not here is
// explained in English.
var inChinese = map[string]string{
	"buyer":   "买家编码",
	"seller":  "商家编码",
	"product": "商品编码",

	"order_type":    "订单类型",
	"access_type":   "商品接入类型",
	"delivery_mode": "交付方式",
	"charge_mode":   "计费方式",
	"track":         "适用的验收标准（空：商家自己的标准）",

	"cancelled": "订单已取消",
	"invoiced":  "已向用户开具发票",
	"amount":    "订单金额",

	"placed_for":     "下单",
	"paid_for":       "支付",
	"supervised_for": "下单（申诉期间停表）",

	"delivered_for": "商家确认最近一次交付",
	"shipped_for":   "最近一个包裹发货",
	"signed_for":    "快递报告最近一个包裹已签收",
	"phone_matches": "物流记录中的电话与用户填写的一致，或其中之一未知",

	"collected_for":      "用户领取授权码",
	"activated_for":      "在线授权码激活",
	"proof_for":          "商家上传交付凭证",
	"reviewed_for":       "平台审核通过最近一次交付",
	"buyer_accepted_for": "用户手动验收",
	"sent_back_for":      "用户或平台将最近一次交付退回商家",

	"appeal_open_for":     "提出未决申诉",
	"appeal_working_for":  "提出未决申诉当日结束（仅计工作日）",
	"appeal_accepted_for": "平台裁定申诉：验收",
	"appeal_refunded_for": "平台裁定申诉：退款",
}

// in is what a fact means in a language, without the notes for rule authors
// behind a semicolon.
func (f *Fact) in(language string) string {
	if said, ok := inChinese[f.Name]; ok && language == "zh" {
		return said
	}
	said, _, _ := strings.Cut(f.Means, ";")
	if said == "" {
		return f.Name
	}
	return said
}

var outcomesInChinese = map[string]string{
	"accept": "验收", "refund": "退款", "wait": "等待", "hold": "人工处理", "unsupervised": "无需监管",
	"remind": "提醒", "quiet": "无需提醒",
}

// Outcome is the word of an outcome for a reader; one without a translation is
// shown as it is.
func (r Reader) Outcome(word string) string {
	if said, ok := outcomesInChinese[word]; ok && r.Language == "zh" {
		return said
	}
	return word
}
