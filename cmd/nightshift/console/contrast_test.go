package console_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// measuring is a page that has the browser measure each text of other pages against
// its background, light and dark: WCAG 2, contrast ratio, level AA for small text.
const measuring = `<!doctype html><title>contrast</title>
%s
<pre></pre>
<script>
const rgb = c => c.match(/[\d.]+/g).map(Number);
const light = c => { const [r, g, b] = rgb(c).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ground = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if ((rgb(c)[3] ?? 1) > 0) return c; } return "rgb(255, 255, 255)"; };
const told = new Set(); let measured = 0, least = 99;
function measure(page, scheme) {
  for (const e of page.document.body.querySelectorAll("*")) {
    const text = [...e.childNodes].filter(n => n.nodeType == 3).map(n => n.data.trim()).join("");
    if (!text) continue;
    const ink = getComputedStyle(e).color, on = ground(e);
    const [a, b] = [light(ink), light(on)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    measured++, least = Math.min(least, ratio);
    if (ratio < 4.5) told.add("FAILS " + scheme + ": " + ink + " on " + on + " is " + ratio.toFixed(2) + ": " + e.tagName + " " + e.className + ": " + text.slice(0, 30));
  }
}
onload = () => {
  for (let i = 0; i < frames.length; i++) {
    const page = frames[i];
    for (const state of ["state completed", "state running", "state failed", "warn", "empty"])
      page.document.querySelector("main").insertAdjacentHTML("beforeend", "<p class='" + state + "'>x</p><table><tr><td class='" + state + "'>x</td></tr></table>");
    for (const scheme of ["light", "dark"]) {
      for (const rule of page.document.styleSheets[0].cssRules)
        if (rule.media) rule.media.mediaText = scheme == "dark" ? "all" : "not all";
      page.document.documentElement.style.colorScheme = scheme;
      measure(page, scheme);
    }
  }
  document.querySelector("pre").textContent = ["MEASURED " + measured + " least " + least.toFixed(2), ...told].join("\n");
};
</script>`

// standsOut has a browser measure whether every text stands out from its background.
func standsOut(t *testing.T, browser string, pages http.Handler) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/measuring" {
			var shown strings.Builder
			for _, path := range []string{"/", "/runs/2", "/explain/A-1"} {
				fmt.Fprintf(&shown, `<iframe src="%s?lang=en"></iframe>`, path)
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, measuring, &shown)
			return
		}
		page := httptest.NewRecorder()
		pages.ServeHTTP(page, r)
		maps.Copy(w.Header(), page.Header())
		for _, guard := range []string{"Content-Security-Policy", "X-Frame-Options"} {
			w.Header().Del(guard) // they would keep the page that measures out
		}
		w.WriteHeader(page.Code)
		_, _ = w.Write(page.Body.Bytes())
	}))
	defer server.Close()
	out, err := exec.CommandContext(t.Context(), browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(),
		"--virtual-time-budget=5000", "--dump-dom", server.URL+"/measuring").Output()
	if err != nil {
		t.Fatalf("have the pages measured: %v", err)
	}
	said := regexp.MustCompile(`MEASURED (\d+) least ([\d.]+)`).FindSubmatch(out)
	if said == nil {
		t.Fatalf("nothing was measured:\n%s", out)
	}
	if n, err := strconv.Atoi(string(said[1])); err != nil || n < 200 {
		t.Errorf("only %d texts were measured: %v", n, err)
	}
	t.Logf("%s texts, the faintest at %s to 1", said[1], said[2])
	for _, fails := range regexp.MustCompile(`FAILS (.*)`).FindAllSubmatch(out, -1) {
		if !strings.Contains(string(fails[1]), `" + scheme`) { // the script itself
			t.Errorf("below 4.5 to 1: %s", fails[1])
		}
	}
}
