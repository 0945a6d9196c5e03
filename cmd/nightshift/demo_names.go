package main

import "fmt"

// Names of the demo's companies: a place, a fancy word and a trade, in both
// languages. None of them is anybody's.
var (
	demoPlaces = [][2]string{{"北京", "Beijing"}, {"上海", "Shanghai"}, {"深圳", "Shenzhen"}, {"杭州", "Hangzhou"}, {"成都", "Chengdu"}, {"武汉", "Wuhan"},
		{"西安", "Xi'an"}, {"南京", "Nanjing"}, {"苏州", "Suzhou"}, {"广州", "Guangzhou"}, {"重庆", "Chongqing"}, {"贵阳", "Guiyang"}}
	demoWords = [][2]string{{"云帆", "Yunfan"}, {"晨星", "Chenxing"}, {"明德", "Mingde"}, {"远山", "Yuanshan"}, {"青禾", "Qinghe"}, {"海纳", "Haina"},
		{"天衡", "Tianheng"}, {"锦程", "Jincheng"}, {"知行", "Zhixing"}, {"博雅", "Boya"}, {"星河", "Xinghe"}, {"万象", "Wanxiang"},
		{"合众", "Hezhong"}, {"同光", "Tongguang"}, {"瑞丰", "Ruifeng"}, {"宁远", "Ningyuan"}}
	demoMakers = [][2]string{{"软件", "Software"}, {"信息技术", "Information Technology"}, {"数据科技", "Data"}, {"智能设备", "Smart Devices"}, {"网络安全", "Network Security"}}
	demoTrades = [][2]string{{"纺织", "Textiles"}, {"物流", "Logistics"}, {"医药", "Pharmaceuticals"}, {"食品", "Foods"}, {"机械", "Machinery"},
		{"汽车零部件", "Auto Parts"}, {"教育", "Education"}, {"能源", "Energy"}, {"建筑", "Construction"}, {"酒店", "Hotels"}, {"零售", "Retail"}}
)

// demoCompany is the i-th name; those of one list of trades do not repeat
// before all of them were given.
func demoCompany(i int, trades [][2]string) string {
	place, rest := demoPlaces[i%len(demoPlaces)], i/len(demoPlaces)
	// Each round of places begins with the next word, so that neighbours differ.
	word, trade := demoWords[(i+rest)%len(demoWords)], trades[(i/3+rest)%len(trades)]
	return fmt.Sprintf("%s%s%s有限公司 %s %s %s", place[0], word[0], trade[0], place[1], word[1], trade[1])
}

// demoProduct is a line of the demo's catalogue.
type demoProduct struct {
	name         string
	access, mode string // access type and delivery mode
	charge       string
	class        string
	yuan         int    // the list price
	count        int    // of the term; 0 for what has none
	unit         string // of the term
	weight       int    // how often it is bought
	code, seller string
}

// demoCatalogue has every access type, every delivery mode and every way of charging.
var demoCatalogue = []demoProduct{
	{name: "5G 工业网关 5G industrial gateway", access: "hardware", charge: "ONE_TIME", class: "hardware", yuan: 2680, weight: 60},
	{name: "边缘计算盒 Edge computing box", access: "hardware", charge: "ONE_TIME", class: "hardware", yuan: 5999, weight: 50},
	{name: "仓库手持终端 Warehouse handheld", access: "hardware", charge: "ONE_TIME", class: "hardware", yuan: 1499, weight: 60},
	{name: "温湿度传感器 Climate sensor", access: "hardware", charge: "ONE_TIME", class: "hardware", yuan: 199, weight: 70},

	{name: "数据库审计 Database audit", access: "license", mode: "online_code", charge: "PERIOD", class: "software", yuan: 8800, count: 1, unit: "year", weight: 40},
	{name: "网页防篡改 Web tamper protection", access: "license", mode: "online_code", charge: "PERIOD", class: "software", yuan: 980, count: 3, unit: "month", weight: 40},
	{name: "制图软件 Drafting suite", access: "license", mode: "online_code", charge: "ONE_TIME", class: "software", yuan: 12600, weight: 20},
	{name: "主机安全 Host security", access: "license", mode: "identification_code", charge: "PERIOD", class: "software", yuan: 3600, count: 1, unit: "year", weight: 24},
	{name: "报表平台 Reporting platform", access: "license", mode: "package", charge: "ONE_TIME", class: "software", yuan: 46000, weight: 16},
	{name: "离线翻译 Offline translation", access: "license", mode: "offline", charge: "PERIOD", class: "software", yuan: 1200, count: 6, unit: "month", weight: 16},

	{name: "客户管理 CRM", access: "saas", mode: "offline", charge: "PERIOD", class: "service", yuan: 2388, count: 1, unit: "year", weight: 50},
	{name: "仓储管理 Warehouse management", access: "saas", mode: "offline", charge: "PERIOD", class: "service", yuan: 599, count: 1, unit: "month", weight: 40},
	{name: "电子签章 E-signature", access: "saas", mode: "instant", charge: "PERIOD", class: "service", yuan: 365, count: 1, unit: "month", weight: 40},
	{name: "短信套餐 Text message package", access: "saas", mode: "instant", charge: "ON_DEMAND_PKG", class: "service", yuan: 500, weight: 30},

	{name: "等保测评 Security assessment", access: "human_service", charge: "ONE_TIME", class: "service", yuan: 68000, weight: 24},
	{name: "建站服务 Website building", access: "human_service", charge: "ONE_TIME", class: "service", yuan: 6800, weight: 30},
	{name: "驻场运维 On-site operations", access: "human_service", charge: "PERIOD", class: "service", yuan: 15000, count: 1, unit: "month", weight: 24},
	{name: "上云咨询 Cloud consulting", access: "consulting", charge: "ONE_TIME", class: "service", yuan: 20000, weight: 10},
	{name: "产线编排 Production line orchestration", access: "orchestration", charge: "ONE_TIME", class: "service", yuan: 32000, weight: 24},
	{name: "门店数据集 Store data file", access: "data_file", charge: "ONE_TIME", class: "service", yuan: 4500, weight: 24},

	{name: "WordPress 镜像 WordPress image", access: "image", charge: "PERIOD", class: "service", yuan: 59, count: 1, unit: "month", weight: 24},
	{name: "防火墙镜像 Firewall image", access: "image", charge: "ON_DEMAND", class: "service", yuan: 2, weight: 16},
	{name: "消息队列容器 Message queue container", access: "container", charge: "PERIOD", class: "service", yuan: 320, count: 1, unit: "month", weight: 16},
	{name: "发票识别接口 Invoice reading API", access: "api", charge: "ON_DEMAND_PKG", class: "service", yuan: 100, weight: 24},
	{name: "天气接口 Weather API", access: "api", charge: "ON_DEMAND", class: "service", yuan: 1, weight: 12},
	{name: "客服智能体 Service agent", access: "agent", charge: "ON_DEMAND_PKG", class: "service", yuan: 299, weight: 14},
	{name: "缺陷检测模型 Defect model", access: "ai_asset", charge: "PERIOD", class: "service", yuan: 2000, count: 1, unit: "year", weight: 12},
	{name: "路网数据 Road network data", access: "data_asset", charge: "ONE_TIME", class: "service", yuan: 9900, weight: 8},
	{name: "文案素材 Copy and pictures", access: "content", charge: "PERIOD", class: "service", yuan: 88, count: 1, unit: "month", weight: 12},

	// A seller's system writes "for ever" as the largest number it knows. No
	// calendar holds the end of such a term: the order is parked, and a person
	// has to say what was meant.
	{name: "永久授权 Perpetual licence", access: "license", mode: "online_code", charge: "PERIOD", class: "software", yuan: 30000, count: 2147483647, unit: "day", weight: 3},
}
