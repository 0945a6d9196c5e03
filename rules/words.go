package rules

import (
	"fmt"
	"strings"
	"time"
)

// Reader is for whom an explanation is put into words.
type Reader struct {
	Language string         // "zh" is Chinese, anything else English
	Zone     *time.Location // of the instants it reads
}

// Line is one line of a condition in words.
type Line struct {
	Depth int
	Yes   bool
	Says  string
}

// phrases are what sentences are made of in one language.
type phrases struct {
	yes, no, empty       string
	asked                string            // stands between how it is and what was wanted
	since, until         string            // a clock: how long, and since or until what
	at, stood            string            // behind it: the instant, and how long it stood still
	happened, notYet     string            // an event, with its instant; and without one
	is                   string            // of a fact, what it means and its value
	wants                map[string]string // by operator
	or                   string
	all, any, not, other string // heads of what is made of others
	none                 string
	day, hour, min, sec  string
}

var english = phrases{
	yes: "yes", no: "no", empty: "empty",
	asked: "%s; asked: %s", since: "%s since %s", until: "%s until %s", at: " (%s)", stood: " (%s, less %s for which the clock stood still)",
	happened: "%s, on %s", notYet: "not yet: %s", is: "%s: %s",
	wants: map[string]string{"": "yes", "not": "no", "==": "%s", "!=": "anything but %s", "<": "less than %s", "<=": "at most %s", ">": "more than %s", ">=": "at least %s",
		"in": "one of %s", "not in": "none of %s", "range": "between %s and %s", "happened": "that it has happened", "not happened": "that it has not happened",
		"contains": "a text with %s in it", "startsWith": "a text that begins with %s", "endsWith": "a text that ends with %s", "matches": "a text like %s"},
	or: ", ", all: "all of these", any: "one of these", not: "not this", other: "the first decides between the others", none: "none of these",
	day: "days", hour: "h", min: "min", sec: "s",
}

var chinese = phrases{
	yes: "是", no: "否", empty: "空",
	asked: "%s；要求：%s", since: "自%[2]s起 %[1]s", until: "距%[2]s还有 %[1]s", at: "（%s）", stood: "（%s，已扣除停表的 %s）",
	happened: "%s，时间 %s", notYet: "尚未：%s", is: "%s：%s",
	wants: map[string]string{"": "是", "not": "否", "==": "%s", "!=": "不是 %s", "<": "少于 %s", "<=": "至多 %s", ">": "多于 %s", ">=": "至少 %s",
		"in": "%s 之一", "not in": "不是 %s 中的任何一个", "range": "在 %s 至 %s 之间", "happened": "已发生", "not happened": "未发生",
		"contains": "包含 %s", "startsWith": "以 %s 开头", "endsWith": "以 %s 结尾", "matches": "符合 %s"},
	or: "、", all: "以下全部", any: "以下之一", not: "并非", other: "由第一项决定取哪一项", none: "以下均不成立",
	day: "天", hour: "小时", min: "分", sec: "秒",
}

func (r Reader) phrases() *phrases {
	if r.Language == "zh" {
		return &chinese
	}
	return &english
}

// Lines say a condition: a line a leaf, and a head over those that are joined
// otherwise than by and.
func (r Reader) Lines(p Part) []Line {
	return r.lines(nil, p, 0)
}

// Missed says a part that had to hold and does not: of what had to hold together
// the first that fails.
func (r Reader) Missed(p Part) []Line { return r.Lines(p.culprit()) }

func (p Part) culprit() Part {
	for _, inner := range p.Parts {
		if (p.Joint == AllOf || p.Joint == NamedBy) && !inner.Yes {
			return inner.culprit()
		}
	}
	return p
}

func (r Reader) lines(to []Line, p Part, depth int) []Line {
	switch {
	case p.Joint == NamedBy:
		return r.lines(to, p.Parts[0], depth)
	case p.Joint == NoJoint || p.negated() != nil:
		return append(to, Line{depth, p.Yes, r.Say(p)})
	case p.Joint != AllOf || depth > 0:
		to = append(to, Line{depth, p.Yes, r.head(p)})
		depth++
	}
	for _, inner := range p.Parts {
		to = r.lines(to, inner, depth)
	}
	return to
}

func (r Reader) head(p Part) string {
	w := r.phrases()
	switch p.Joint {
	case AllOf:
		return w.all
	case AnyOf:
		return w.any
	case NotThis:
		return w.not
	}
	return w.other
}

// negated is the question that not of a leaf asks; nil where it is not that.
func (p Part) negated() *question {
	if p.Joint != NotThis || len(p.Parts) != 1 {
		return nil
	}
	inner := p.Parts[0]
	for inner.Joint == NamedBy {
		inner = inner.Parts[0]
	}
	if inner.question == nil {
		return nil
	}
	return inner.question.not()
}

// Say says a part in one sentence: how things stand, and what was wanted. Of
// what had to hold together and does not it is the first part that fails.
func (r Reader) Say(p Part) string {
	if !p.Yes {
		p = p.culprit()
	}
	w := r.phrases()
	if q := p.negated(); q != nil {
		return r.sentence(p, q)
	}
	switch {
	case p.question != nil:
		return r.sentence(p, p.question)
	case p.Joint == NamedBy:
		return r.Say(p.Parts[0])
	case p.Joint == NoJoint:
		return fmt.Sprintf(w.is, p.Text, p.Value)
	}
	head := r.head(p)
	if p.Joint == AnyOf && !p.Yes {
		head = w.none
	}
	var said []string
	for _, inner := range p.Parts {
		said = append(said, "("+r.Say(inner)+")")
	}
	return head + ": " + strings.Join(said, " ")
}

func (r Reader) sentence(p Part, q *question) string {
	w := r.phrases()
	wants, ok := w.wants[q.operator]
	if valued := p.Value == "true" || p.Value == "false"; !valued || !ok {
		return fmt.Sprintf(w.is, p.Text, p.Value) // with the reason why it has none
	}
	return fmt.Sprintf(w.asked, r.stands(q), r.wanted(q, wants))
}

// stands says how things are.
func (r Reader) stands(q *question) string {
	w := r.phrases()
	means := q.of
	if q.fact != nil {
		means = q.fact.in(r.Language)
	}
	if q.clock == nil {
		return fmt.Sprintf(w.is, means, r.value(q.is))
	}
	event := strings.TrimPrefix(strings.TrimPrefix(means, "since "), "until ")
	at := q.clock.Anchor().In(r.Zone).Format(time.DateTime)
	switch {
	case !q.started:
		return fmt.Sprintf(w.notYet, event)
	case strings.HasSuffix(q.operator, "happened"):
		return fmt.Sprintf(w.happened, event, at)
	case q.clock.Down():
		return fmt.Sprintf(w.until, r.duration(q.elapsed), event) + fmt.Sprintf(w.at, at)
	case q.stood > 0:
		return fmt.Sprintf(w.since, r.duration(q.elapsed), event) + fmt.Sprintf(w.stood, at, r.duration(q.stood))
	}
	return fmt.Sprintf(w.since, r.duration(q.elapsed), event) + fmt.Sprintf(w.at, at)
}

// wanted says what was asked for.
func (r Reader) wanted(q *question, phrase string) string {
	w := r.phrases()
	values := make([]string, len(q.wanted))
	for i, v := range q.wanted {
		values[i] = r.value(v)
	}
	switch {
	case !strings.Contains(phrase, "%s"):
		return phrase
	case q.operator == "range":
		return fmt.Sprintf(phrase, values[0], values[1])
	}
	said := fmt.Sprintf(phrase, strings.Join(values, w.or))
	if q.named != "" {
		said += fmt.Sprintf(w.at, q.named)
	}
	return said
}

func (r Reader) value(v Value) string {
	w := r.phrases()
	switch v.Kind {
	case KindBool:
		if v.yes {
			return w.yes
		}
		return w.no
	case KindDuration:
		return r.duration(v.duration)
	case KindList:
		return strings.Join(v.list, w.or)
	}
	if text := v.String(); text != "" {
		return text
	}
	return w.empty
}

// duration says a length of time: 14 days 23 h 55 min.
func (r Reader) duration(d time.Duration) string {
	w := r.phrases()
	var said []string
	if d < 0 {
		said, d = append(said, "-"), -d
	}
	for _, u := range []struct {
		length time.Duration
		name   string
	}{{day, w.day}, {time.Hour, w.hour}, {time.Minute, w.min}} {
		if n := d / u.length; n > 0 {
			name := u.name
			if n == 1 {
				name = strings.TrimSuffix(name, "s")
			}
			said = append(said, fmt.Sprintf("%d %s", n, name))
			d -= n * u.length
		}
	}
	if d > 0 || len(said) == 0 {
		said = append(said, strings.TrimSuffix(FormatDuration(d), "s")+" "+w.sec)
	}
	return strings.Join(said, " ")
}

// in is what a fact means in a language, without the notes for rule authors
// behind a semicolon. In Chinese a stopwatch is named by what it begins with; a
// fact without Chinese is said in English.
func (f *Fact) in(language string) string {
	if language == "zh" && f.Chinese != "" {
		return f.Chinese
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
	"deduct": "扣款", "cancel": "取消", "reject": "拒绝", "refuse": "拒绝", "withdraw": "视为撤回", "bill": "出具月结账单", "use": "使用", "forbid": "禁止支付", "round": "舍入", "uncharged": "不收费",
	"clear": "无欠费", "grace": "宽限", "freeze": "冻结", "release": "释放", "buy": "复购", "fail": "复购失败", "leave": "不处理", "renew": "续费", "retry": "次日重试", "lapse": "到期", "known": "已定周期", "charge": "收取差价", "unknown": "等级未知", "change": "准予变更",
	"pay": "付款", "approve": "待复核",
	"opened": "开通成功", "query": "查询开通结果", "failing": "开通失败，待重试", "failed": "开通失败，订单退款", "opened_late": "退款后才开通，需人工处理", "ended": "已了结", "propose": "建议下架", "keep": "保持上架",
	"close": "系统关闭", "answered": "已处理", "grant": "批准", "decline": "不予批准", "expire": "到期失效",
	"settle": "出账", "decides": "决定账期", "commission": "按平台费率结算", "deal_price": "按成交价分成", "floor_price": "按固定底价分成", "cash_share": "按现金部分分成", "extra": "加成比例", "tax": "代扣税费", "generate": "生成账单",
}

// Outcome is the word of an outcome for a reader; one without a translation is
// shown as it is.
func (r Reader) Outcome(word string) string {
	if said, ok := outcomesInChinese[word]; ok && r.Language == "zh" {
		return said
	}
	return word
}
