package console

import (
	"net/http"

	"golang.org/x/text/language"
)

var (
	languages = []language.Tag{language.English, language.SimplifiedChinese}
	matcher   = language.NewMatcher(languages)
)

// spoken is the language of a page: the one that was clicked, or the browser's.
func spoken(r *http.Request) string {
	_, at := language.MatchStrings(matcher, r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	if languages[at] == language.SimplifiedChinese {
		return "zh"
	}
	return "en"
}

// Say is a word of the pages in the page's language. A word that has no
// translation is shown as it is: an outcome is a rule author's.
func (v view) Say(word string) string {
	said, ok := vocabulary[word]
	switch {
	case !ok:
		return word
	case v.Language == "zh":
		return said[1]
	default:
		return said[0]
	}
}

// Outcome and State say the words of a run, as people do.
func (v view) Outcome(word string) string { return v.known("outcome ", word) }

// State says how a run stands.
func (v view) State(word string) string { return v.known("state ", word) }

func (v view) known(sort, word string) string {
	if _, ok := vocabulary[sort+word]; ok {
		return v.Say(sort + word)
	}
	return word
}

var vocabulary = map[string][2]string{
	"title":      {"Runs", "运行"},
	"run":        {"Run", "运行"},
	"runs":       {"Runs", "运行"},
	"date":       {"Business date", "业务日期"},
	"job":        {"Job", "作业"},
	"site":       {"Site", "站点"},
	"looked at":  {"Looked at", "处理"},
	"done":       {"Done", "已办理"},
	"parked":     {"Parked", "搁置"},
	"state":      {"State", "状态"},
	"document":   {"Document", "文件"},
	"documents":  {"Documents", "文件"},
	"progress":   {"Progress", "进度"},
	"shard":      {"Shard", "分片"},
	"share":      {"Share done", "完成比例"},
	"download":   {"Download", "下载"},
	"as of":      {"As of", "截至"},
	"began":      {"Began", "开始"},
	"took":       {"Took", "用时"},
	"result":     {"Result hash", "结果哈希"},
	"outcomes":   {"Outcomes", "结果"},
	"reason":     {"Reason", "原因"},
	"order":      {"Order", "订单"},
	"failure":    {"Failure", "失败原因"},
	"stands":     {"What does not begin", "尚未开始"},
	"none yet":   {"No runs yet. They appear after the first night.", "还没有运行。第一晚之后会显示在这里。"},
	"no files":   {"No documents.", "没有文件。"},
	"acceptance": {"acceptance", "验收"},
	"billing":    {"billing", "扣费"},
	"renewal":    {"renewal", "续费"},
	"settlement": {"settlement", "结算"},
	"subject":    {"Subject", "对象"},
	"reminders":  {"reminders", "提醒"},
	"why":        {"Why was this order decided as it was?", "这个订单为何如此决定？订单号"},
	"ask":        {"Explain", "查看"},
	"undecided":  {"Nothing was decided about it yet: the next run looks at it.", "尚无决定：下一次运行会处理。"},
	"decided by": {"Decided by", "决定人"},
	"rule":       {"Rule", "规则"},
	"rules":      {"What the rules asked, in order", "各规则依次的要求"},
	"evidence":   {"Evidence", "凭证"},
	"since":      {"Since", "起始"},
	"turns":      {"Turns", "届时变为"},

	"state running":   {"running", "运行中"},
	"state completed": {"completed", "完成"},
	"state failed":    {"failed", "失败"},

	"outcome accept":       {"accepted", "验收"},
	"outcome refund":       {"refunded", "退款"},
	"outcome wait":         {"waiting", "等待"},
	"outcome hold":         {"on hold", "人工处理"},
	"outcome unsupervised": {"not supervised", "无需监管"},
	"outcome remind":       {"reminded", "提醒"},
	"outcome quiet":        {"nobody is reminded", "无需提醒"},

	"outcome renew":  {"renewed", "续费"},
	"outcome settle": {"settled", "结算"},

	"outcome deduct":          {"deducted", "扣费"},
	"outcome repurchase":      {"packages bought again", "自动续购"},
	"outcome reject":          {"not paid", "拒付"},
	"outcome cancel":          {"cancelled", "取消"},
	"outcome refuse":          {"refunds refused", "拒绝退款"},
	"outcome withdraw":        {"returns withdrawn", "退货撤回"},
	"outcome return wait":     {"returns on their way", "退货处理中"},
	"outcome return hold":     {"returns on hold", "退货待人工处理"},
	"outcome arrears":         {"left owed in part", "部分欠款"},
	"outcome arrears grace":   {"owing, in grace", "欠款：宽限期"},
	"outcome arrears freeze":  {"owing, frozen", "欠款：已冻结"},
	"outcome arrears release": {"owing, released", "欠款：已释放"},
	"outcome arrears clear":   {"nothing owed any more", "欠款：已还清"},
}
