package reports

import (
	"maps"
	"slices"
)

// Words that FOCUS allows.
var (
	chargeCategories  = []string{"Usage", "Purchase", "Tax", "Credit", "Adjustment"}
	chargeClasses     = []string{"Correction"}
	chargeFrequencies = []string{"One-Time", "Recurring", "Usage-Based"}
	pricingCategories = []string{"Standard", "Dynamic", "Committed", "Other"}
	usedOrNot         = []string{"Used", "Unused"}
)

// focusServices are the categories of services and what is in each, beside
// "Other (Compute)" and so on.
var focusServices = map[string][]string{
	"AI and Machine Learning":   {"AI Platforms", "Bots", "Generative AI", "Machine Learning", "Natural Language Processing"},
	"Analytics":                 {"Analytics Platforms", "Business Intelligence", "Data Processing", "Search", "Streaming Analytics"},
	"Business Applications":     {"Productivity and Collaboration"},
	"Compute":                   {"Containers", "End User Computing", "Quantum Compute", "Serverless Compute", "Virtual Machines"},
	"Databases":                 {"Caching", "Data Warehouses", "Ledger Databases", "NoSQL Databases", "Relational Databases", "Time Series Databases"},
	"Developer Tools":           {"Developer Platforms", "Continuous Integration and Deployment", "Development Environments", "Source Code Management", "Quality Assurance"},
	"Identity":                  {"Identity and Access Management"},
	"Integration":               {"API Management", "Messaging", "Workflow Orchestration"},
	"Internet of Things":        {"IoT Analytics", "IoT Platforms"},
	"Management and Governance": {"Architecture", "Compliance", "Cost Management", "Data Governance", "Disaster Recovery", "Endpoint Management", "Observability", "Support"},
	"Media":                     {"Content Creation", "Gaming", "Media Streaming", "Mixed Reality"},
	"Migration":                 {"Data Migration", "Resource Migration"},
	"Mobile":                    {},
	"Multicloud":                {"Multicloud Integration"},
	"Networking":                {"Application Networking", "Content Delivery", "Network Connectivity", "Network Infrastructure", "Network Routing", "Network Security"},
	"Other":                     {},
	"Security":                  {"Secret Management", "Security Posture Management", "Threat Detection and Response"},
	"Storage":                   {"Backup Storage", "Block Storage", "File Storage", "Object Storage", "Storage Platforms"},
	"Web":                       {"Application Platforms"},
}

func serviceCategories() []string { return slices.Sorted(maps.Keys(focusServices)) }

// partOfService tells whether a subcategory is one of a category.
func partOfService(subcategory, category string) bool {
	return subcategory == otherOf(category) || slices.Contains(focusServices[category], subcategory)
}

func otherOf(category string) string { return "Other (" + category + ")" }

// focusServiceOf are the category and subcategory of each access type.
var focusServiceOf = map[string][2]string{
	"saas":          {"Business Applications", otherOf("Business Applications")},
	"license":       {"Business Applications", otherOf("Business Applications")},
	"content":       {"Media", otherOf("Media")},
	"image":         {"Compute", "Virtual Machines"},
	"container":     {"Compute", "Containers"},
	"hardware":      {"Compute", otherOf("Compute")},
	"api":           {"Integration", "API Management"},
	"orchestration": {"Integration", "Workflow Orchestration"},
	"agent":         {"AI and Machine Learning", otherOf("AI and Machine Learning")},
	"ai_asset":      {"AI and Machine Learning", otherOf("AI and Machine Learning")},
	"data_asset":    {"Analytics", otherOf("Analytics")},
	"data_file":     {"Analytics", otherOf("Analytics")},
}

// FocusService is the category and subcategory of an access type.
func FocusService(accessType string) (category, subcategory string) {
	if s, ok := focusServiceOf[accessType]; ok {
		return s[0], s[1]
	}
	return "Other", otherOf("Other")
}
