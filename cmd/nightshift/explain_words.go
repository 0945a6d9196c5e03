package main

// say is a phrase of the command in the reader's language.
func (t telling) say(phrase string) string {
	if said, ok := explainInChinese[phrase]; ok && t.Language == "zh" {
		return said
	}
	return phrase
}

var explainInChinese = map[string]string{
	"%s at %s":                               "%s，站点 %s",
	"valid from %s until %s":                 "有效期 %s 至 %s",
	"%s on %s, run %d: %s":                   "%s：%s，运行 %d：%s",
	"parked":                                 "搁置",
	"decided by":                             "决定人",
	"rule":                                   "规则",
	"%s (%s, run %d)":                        "%s（%s，运行 %d）",
	"because":                                "原因",
	"evidence":                               "凭证",
	"since":                                  "起始",
	"no clock says when":                     "与时间无关",
	"turns":                                  "变化",
	"yes":                                    "是",
	"no ":                                    "否",
	"never: the order is settled":            "不再变化：订单已了结",
	"never: this renewal is not tried again": "不再变化：本次续费不再尝试",
	"never: the lead waits for nobody any more":             "不再变化：线索已了结",
	"never: the offer has ended":                            "不再变化：优惠已结束",
	"only when something new is reported or a rule changes": "仅当有新的事实或规则变更时",
	"on %s, when it cannot be decided: %v":                  "%s，届时无法判定：%v",
	"to %s on %s, by rule %s":                               "变为%s，时间 %s，依据规则 %s",
	"the rules in order, as of %s":                          "各规则依次如下，截至 %s",
	"%d other rows miss it by as much or more":              "其余 %d 行相差同样多或更多",
	"next try":               "下次尝试",
	"buyer":                  "买家",
	"policy":                 "到期策略",
	"ends":                   "到期",
	"state":                  "状态",
	"price of the next term": "下期价格",
	"nobody has said what the next term costs": "尚无下期价格",
	"in no night that can be seen: %s":         "可见的各夜均不尝试：%s",
	"terms":                                    "周期",
	"bought":                                   "首次购买",
	"taken back %s":                            "已退订 %s",
	"asked for":                                "申请",
	"policy %s":                                "到期策略 %s",
	"take back (%s)":                           "退续费（%s）",
	"deducted %s":                              "已扣费 %s",
	"price":                                    "价格",
	"discount":                                 "折扣",
	"due":                                      "应付",
	"dropped":                                  "舍去",
	"paid by":                                  "付款来源",
	"given back":                               "退还",
	"not used":                                 "未使用",
	"%s, by rule %s":                           "%s，依据规则 %s",
	"What was decided in %[1]s is in the archive: `nightshift archive restore %[1]s` brings it back.": "%[1]s 的决定已归档：用 `nightshift archive restore %[1]s` 取回。",
	"proposed to take it off the shelf: %s, to %s":                                                    "建议下架：%s，通知 %s",
	"Nothing was decided about it yet: the next run looks at it.":                                     "尚无决定：下一次运行会处理。",
	"Correct it and import it again, or correct the rule and `nightshift runs requeue %s %s`.":        "请更正后重新导入，或更正规则后执行 `nightshift runs requeue %s %s`。",
}
