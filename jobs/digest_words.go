package jobs

import (
	"fmt"

	"nightshift/rules"
)

// speech is the language of what people are told: zh is Chinese, anything else
// English. Names of jobs and commands are the same in both, and so are the reasons of
// errors.
type speech string

// say is a sentence in the language.
func (s speech) say(format string, args ...any) string {
	if said, known := inChinese[format]; known && s == "zh" {
		format = said
	}
	return fmt.Sprintf(format, args...)
}

// counted is a number of runs or nights.
func (s speech) counted(n int, thing string) string {
	if n == 1 {
		return s.say("1 " + thing)
	}
	return s.say("%d "+thing+"s", n)
}

// outcome is the word of an outcome.
func (s speech) outcome(word string) string { return rules.Reader{Language: string(s)}.Outcome(word) }

// inChinese are the sentences of digests and alarms, with the same values in the same
// order.
var inChinese = map[string]string{
	"1 run":     "1 次运行",
	"%d runs":   "%d 次运行",
	"1 night":   "1 晚",
	"%d nights": "%d 晚",

	"Nightshift %s, night of %s: %s":        "Nightshift %s，%s 之夜：%s",
	", a person is needed":                  "，需要人工处理",
	"%s of %s was not begun":                "%s %s：未开始",
	"%s of %s: %s, run %d, looked at %d %s": "%s %s：%s，运行 %d，处理 %d %s",
	"completed":                             "完成",
	"failed":                                "失败",
	"running":                               "运行中",
	"orders":                                "个订单",
	"buyers":                                "个买家",
	"sellers":                               "个卖家",
	"products":                              "个商品",
	"leads":                                 "条线索",
	"offers":                                "个报价",
	"; set aside %d":                        "；搁置 %d",
	"; took %s":                             "；用时 %s",
	"its rules are not those of the run before: %s":                                      "规则与上次运行不同：%s",
	"on hold until a person decides: %d, the workbook lists them":                        "待人工决定：%d，见工作簿",
	"%s, a person sees to it: %d, `nightshift standing %s --outcome %s --site %s`":       "%s，待人工处理：%d，`nightshift standing %s --outcome %s --site %s`",
	"set aside until a person mends it: %d of %s, `nightshift runs parked %s --site %s`": "已搁置，待人工修正：%d（%s），`nightshift runs parked %s --site %s`",
	"%s of %s does not begin: %v":                                                        "%s %s 未能开始：%v",
	"%s of %s was made up for since midnight":                                            "零点后补跑：%s %s",
	"%s of %d dates was made up for since midnight, %s to %s":                            "零点后补跑：%s 共 %d 个业务日期，%s 至 %s",

	"Nightshift %s: %s of %s will not be done by %s":                         "Nightshift %s：%s %s 将无法在 %s 前完成",
	"Nightshift %s: %s of %s is not done by %s":                              "Nightshift %s：%s %s 未在 %s 前完成",
	"%s of %s at %s will not be done by %s.":                                 "%s %s（站点 %s）将无法在 %s 前完成。",
	"%s of %s at %s is not done by %s.":                                      "%s %s（站点 %s）未在 %s 前完成。",
	"No past run says how long it takes; %s due.":                            "没有以往运行可供估计用时；待跑 %s。",
	"Past runs took %s each, so it is done at %s, if it begins now; %s due.": "以往每次用时 %s，现在开始则 %s 完成；待跑 %s。",
	"It does not begin: %v":                                                  "未能开始：%v",
	"Run %d has looked at %d of %d: `nightshift runs show %d`.":              "运行 %d 已处理 %d，共 %d：`nightshift runs show %d`。",
}
