package main

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chromium finds the browser; without one the test is skipped, but fails where
// TCPLAB_CHROMIUM=require is in the environment.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("TCPLAB_CHROMIUM") == "require" {
		t.Fatal("TCPLAB_CHROMIUM=require: there is no chromium")
	}
	t.Skip("chromium is not installed; the tests of plots/report check the structure of the same pages")
	return ""
}

// openBrowser starts a browser without a network.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"), chromedp.WSURLReadTimeout(time.Minute))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return ctx
}

// tab is an open page. What goes wrong in it is an error of the test.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// openPage opens a report in a window of that size, offline.
func openPage(t *testing.T, browser context.Context, file string, width, height int64, dark bool) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(browser)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(stop)
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	address := "file://" + path
	var mu sync.Mutex
	var complaints []string
	complain := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		complaints = append(complaints, fmt.Sprintf(format, args...))
	}
	watch(ctx, runtime.ExceptionThrown, func(e runtime.EventExceptionThrown) { complain("exception: %+v", e.ExceptionDetails) })
	watch(ctx, runtime.ConsoleAPICalled, func(e runtime.EventConsoleAPICalled) { complain("console.%s", e.Type) })
	watch(ctx, log.EntryAdded, func(e log.EventEntryAdded) { complain("log: %+v", e.Entry) })
	watch(ctx, network.RequestWillBeSent, func(e network.EventRequestWillBeSent) {
		if before, _, _ := strings.Cut(e.Request.URL, "#"); before != address {
			complain("request: %s", e.Request.URL)
		}
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range complaints {
			t.Errorf("%s: %s", filepath.Base(filepath.Dir(file)), c)
		}
	})
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	p := &tab{t, ctx}
	call(p, log.Enable, cdp.Empty{})
	call(p, network.Enable, network.EnableParams{})
	call(p, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: true})
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500})
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	p.do(chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("main")))
	return p
}

// watch tells of events of a tab, from the first one on.
func watch[E any](ctx context.Context, event cdp.Event[E], tell func(E)) {
	events := chromedp.Events(ctx, event)
	go func() {
		for e, err := range events {
			if err != nil {
				return
			}
			tell(e)
		}
	}()
}

func call[P, R any](p *tab, command cdp.Command[P, R], params P) (result R) {
	p.t.Helper()
	result, err := chromedp.Call(p.ctx, command, params)
	if err != nil {
		p.t.Fatal(err)
	}
	return result
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

func get[T any](p *tab, action chromedp.Action[T]) T {
	p.t.Helper()
	out, err := chromedp.Run(p.ctx, action)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// ask evaluates an expression in a page.
func ask[T any](p *tab, expression string) T {
	p.t.Helper()
	return get(p, chromedp.Evaluate[T](expression))
}

// reports runs scenarios and returns a folder with their pages.
func reports(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	hostile := filepath.Join(dir, "hostile.yaml")
	if err := os.WriteFile(hostile, []byte(hostileScenario), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"run", "syn-flood"}, {"run", "handshake"}, {"run", "slow-start"}, {"run", "connection-churn"}, {"run", "bufferbloat", "--replications", "3"},
		{"run", hostile}, {"sweep", "backlog-sweep", "--replications", "2"},
	} {
		name := strings.TrimSuffix(filepath.Base(args[1]), ".yaml")
		var out, diagnostics bytes.Buffer
		if status := execute(context.Background(), append(args, "--quiet", "--out", filepath.Join(dir, name)), &out, &diagnostics); status != 0 {
			t.Fatalf("%v: status %d, %s", args, status, &diagnostics)
		}
	}
	return dir
}

// A scenario whose texts try to be more than text.
const hostileScenario = `# </script><script>throw new Error("comment")</script> "quoted" & <b>bold</b>
version: 1
name: hostile
title: '</script><script>throw new Error("title")</script><!-- " ''` + "`" + `${1}'
params: {delay: {default: 10ms, doc: '"><img src=x onerror=alert(1)>'}}
duration: 3s
hosts: {client: {}, server: {}}
links: [{ends: [client, server], delay: $delay}]
workloads:
  - {name: web, kind: server, on: server, port: 80}
  - {name: visit, kind: clients, on: client, to: server:80, arrivals: fixed 1/s}
figures:
  - {kind: timeseries, title: '</script><svg onload=alert(1)>', series: [client.out_segs], y_label: '<img src=http://example.org/x>'}
`

func TestReportInABrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	browser := openBrowser(t)
	dir := reports(t)
	at := func(name string) string { return filepath.Join(dir, name, reportName) }
	names := []string{"syn-flood", "handshake", "slow-start", "connection-churn", "bufferbloat", "hostile", "backlog-sweep"}
	t.Run("charts", func(t *testing.T) {
		for _, name := range names {
			checkCharts(t, openPage(t, browser, at(name), 1200, 900, false), name)
		}
	})
	t.Run("reading", func(t *testing.T) { checkReading(openPage(t, browser, at("syn-flood"), 1200, 900, false)) })
	t.Run("legend", func(t *testing.T) { checkLegend(openPage(t, browser, at("slow-start"), 1200, 900, false)) })
	t.Run("slow motion", func(t *testing.T) { checkPlayer(openPage(t, browser, at("handshake"), 1200, 900, false)) })
	t.Run("filter", func(t *testing.T) { checkFilter(openPage(t, browser, at("syn-flood"), 1200, 900, false)) })
	t.Run("phone", func(t *testing.T) {
		for _, name := range names {
			p := openPage(t, browser, at(name), 360, 740, false)
			if wide := ask[int](p, "document.documentElement.scrollWidth"); wide > 360 {
				t.Errorf("%s is %d pixels wide on a telephone of 360: %s", name, wide, ask[string](p, widest))
			}
		}
	})
	t.Run("contrast", func(t *testing.T) {
		for _, name := range names {
			for _, dark := range []bool{false, true} {
				p := openPage(t, browser, at(name), 1200, 900, dark)
				if faint := ask[[]string](p, faintTexts); len(faint) > 0 {
					t.Errorf("%s, dark %v: %d texts are hard to read: %s", name, dark, len(faint), strings.Join(faint[:min(len(faint), 5)], "; "))
				}
			}
		}
	})
	t.Run("theme", func(t *testing.T) { checkTheme(openPage(t, browser, at("syn-flood"), 1200, 900, false)) })
	t.Run("print", func(t *testing.T) { checkPrint(openPage(t, browser, at("syn-flood"), 1200, 900, true)) })
}

// checkCharts looks whether each figure has something in it, in pixels, too.
func checkCharts(t *testing.T, p *tab, name string) {
	n := ask[int](p, "document.querySelectorAll('figure.chart').length")
	if n == 0 {
		t.Errorf("%s has no figure", name)
	}
	for i := range n {
		figure := fmt.Sprintf("figure.chart[data-chart='%d']", i)
		box := ask[[]float64](p, fmt.Sprintf(`(() => { const svg = document.querySelector("%s .canvas > svg"), all = svg.getBoundingClientRect();
			let lo = Infinity, hi = -Infinity;
			for (const e of svg.querySelectorAll('g > path, g > rect:not(.band)')) { const b = e.getBoundingClientRect(); lo = Math.min(lo, b.left); hi = Math.max(hi, b.right); }
			return [all.width, hi - lo, svg.querySelectorAll('text').length]; })()`, figure))
		if box[0] < 500 || box[1] < box[0]*0.4 || box[2] < 5 {
			t.Errorf("%s, figure %d: width %.0f, data %.0f, %v texts", name, i, box[0], box[1], box[2])
		}
		if over := ask[[]string](p, fmt.Sprintf(overlaps, figure)); len(over) > 0 {
			t.Errorf("%s, figure %d: texts overlap: %v", name, i, over)
		}
		shot := get(p, chromedp.Screenshot(chromedp.CSS(figure+" .canvas > svg")))
		img, err := png.Decode(bytes.NewReader(shot))
		if err != nil {
			t.Fatal(err)
		}
		colours := map[[3]uint32]bool{}
		for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
			for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
				r, g, b, _ := img.At(x, y).RGBA()
				colours[[3]uint32{r, g, b}] = true
			}
		}
		if len(colours) < 10 {
			t.Errorf("%s, figure %d is blank: %d colours", name, i, len(colours))
		}
	}
}

// overlaps are pairs of texts of a figure that cover each other.
const overlaps = `(() => { const all = [...document.querySelectorAll("%s .canvas > svg text")].filter((e) => e.textContent).map((e) => [e.textContent, e.getBoundingClientRect()]), out = [];
	all.forEach(([a, p], i) => all.slice(i + 1).forEach(([b, q]) => {
		const x = Math.min(p.right, q.right) - Math.max(p.left, q.left), y = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
		if (x > 1 && y > 4) out.push(a + ' / ' + b); }));
	return out; })()`

func checkReading(p *tab) {
	t := p.t
	p.do(chromedp.ScrollIntoView(chromedp.CSS("figure.chart .canvas > svg")))
	at := ask[[]float64](p, "(() => { const b = document.querySelector('figure.chart .canvas > svg').getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 5]; })()")
	p.do(chromedp.MouseEvent("mouseMoved", at[0], at[1]))
	text := ask[string](p, "document.querySelector('.tip').hidden ? '' : document.querySelector('.tip').innerText")
	for _, want := range []string{"time ", "half-open connections: 97", "connected: 0"} {
		if !strings.Contains(text, want) {
			t.Errorf("the pointer in the middle reads %q, which has no %q", text, want)
		}
	}
	before := ask[string](p, "document.querySelector('figure.chart .line').getAttribute('d')")
	p.do(chromedp.MouseEvent("mousePressed", at[0]-100, at[1], chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent("mouseMoved", at[0]+100, at[1], chromedp.ButtonLeft),
		chromedp.MouseEvent("mouseReleased", at[0]+100, at[1], chromedp.ButtonLeft, chromedp.ClickCount(1)))
	if after := ask[string](p, "document.querySelector('figure.chart .line').getAttribute('d')"); after == before {
		t.Error("to drag across a figure does not enlarge it")
	}
	p.do(chromedp.Click(chromedp.CSS("figure.chart button[aria-label='Show all']")))
	if after := ask[string](p, "document.querySelector('figure.chart .line').getAttribute('d')"); after != before {
		t.Error("Show all does not show all")
	}
	p.do(chromedp.Focus(chromedp.CSS("figure.chart .canvas > svg")), chromedp.KeyEvent(kb.ArrowRight))
	if text := ask[string](p, "document.querySelector('.tip').innerText"); !strings.Contains(text, "half-open connections") {
		t.Errorf("the keyboard reads %q", text)
	}
}

func checkLegend(p *tab) {
	count := func() int {
		return ask[int](p, "document.querySelectorAll(\"figure.chart[data-chart='1'] .line\").length")
	}
	before := count()
	p.do(chromedp.Click(chromedp.CSS("figure.chart[data-chart='1'] .legend button")))
	if after := count(); before < 3 || after != before-1 {
		p.t.Errorf("%d curves, and %d without the first of the legend", before, after)
	}
	if pressed := ask[string](p, "document.querySelector(\"figure.chart[data-chart='1'] .legend button\").getAttribute('aria-pressed')"); pressed != "false" {
		p.t.Errorf("aria-pressed is %q", pressed)
	}
}

// moment is what the slow motion shows.
type moment struct {
	Time     string   `json:"time"`
	States   []string `json:"states"`
	Segments []string `json:"segments"`
}

const now = `({time: document.getElementById('now').textContent, states: [...document.querySelectorAll('.player .state')].map((e) => e.dataset.state),
	segments: [...document.querySelectorAll('.player .packet')].map((e) => e.dataset.segment)})`

// checkPlayer follows RFC 9293 figures 6 and 12: the handshake, and the close.
func checkPlayer(p *tab) {
	t := p.t
	var seen []moment
	for i := range 401 {
		m := ask[moment](p, fmt.Sprintf("(() => { const s = document.getElementById('time'); s.value = %d; s.dispatchEvent(new Event('input', {bubbles: true})); return %s; })()", i*25, now))
		if len(seen) == 0 || !slices.Equal(seen[len(seen)-1].States, m.States) || !slices.Equal(seen[len(seen)-1].Segments, m.Segments) {
			seen = append(seen, m)
		}
	}
	wanted := []struct{ client, server, segment string }{
		{"SYN-SENT", "LISTEN", "<SEQ=0><CTL=SYN>"}, {"SYN-SENT", "SYN-RECEIVED", "<SEQ=0><ACK=1><CTL=SYN,ACK>"}, {"ESTABLISHED", "SYN-RECEIVED", "<SEQ=1><ACK=1><CTL=ACK>"},
		{"ESTABLISHED", "FIN-WAIT-1", ""}, {"LAST-ACK", "FIN-WAIT-1", "FIN,ACK"}, {"LAST-ACK", "TIME-WAIT", "<CTL=ACK>"}, {"CLOSED", "TIME-WAIT", ""}, {"CLOSED", "CLOSED", ""},
	}
	at := 0
	for _, w := range wanted {
		i := slices.IndexFunc(seen[at:], func(m moment) bool {
			return slices.Equal(m.States, []string{w.client, w.server}) &&
				(w.segment == "" || slices.ContainsFunc(m.Segments, func(s string) bool { return strings.Contains(s, w.segment) }))
		})
		if i < 0 {
			t.Fatalf("the slider never shows %+v after %+v", w, seen[at])
		}
		at += i
	}
	// The keyboard steps from event to event and back.
	p.do(chromedp.Focus(chromedp.CSS("#time")), chromedp.KeyEvent(kb.Home))
	steps := []string{ask[moment](p, now).Time}
	for range 3 {
		p.do(chromedp.KeyEvent(kb.ArrowRight))
		steps = append(steps, ask[moment](p, now).Time)
	}
	p.do(chromedp.KeyEvent(kb.ArrowLeft))
	if len(slices.Compact(slices.Clone(steps))) != 4 || ask[moment](p, now).Time != steps[2] {
		t.Errorf("steps %v and back to %s", steps, ask[moment](p, now).Time)
	}
	if text := ask[string](p, "document.getElementById('spoken').textContent"); !strings.Contains(text, "client SYN-SENT") && !strings.Contains(text, "client ESTABLISHED") {
		t.Errorf("it is said %q", text)
	}
	// It plays, and stops at the end.
	before := ask[moment](p, now).Time
	p.do(chromedp.SetValue(chromedp.CSS("select[aria-label='Speed']"), "16"), chromedp.Evaluate[chromedp.Void]("document.querySelector(\"select[aria-label='Speed']\").dispatchEvent(new Event('change'))"),
		chromedp.Click(chromedp.CSS("#play")), chromedp.Poll[chromedp.Void](fmt.Sprintf("document.getElementById('now').textContent !== %q && document.getElementById('play').getAttribute('aria-label') === 'Play'", before)))
	if m := ask[moment](p, now); !slices.Equal(m.States, []string{"CLOSED", "CLOSED"}) {
		t.Errorf("after playing to the end: %+v", m)
	}
}

func checkFilter(p *tab) {
	rows := func() []string {
		return ask[[]string](p, "[...document.getElementById('table').tBodies[0].rows].filter((r) => r.offsetParent).map((r) => r.textContent)")
	}
	some := len(rows())
	p.do(chromedp.SendKeys(chromedp.CSS("#filter"), "server syn_queue"))
	found := rows()
	if len(found) == 0 || len(found) >= some {
		p.t.Errorf("%d rows of %d match", len(found), some)
	}
	for _, r := range found {
		if !strings.Contains(r, "server.syn_queue") {
			p.t.Errorf("%q matches", r)
		}
	}
	p.do(chromedp.Evaluate[chromedp.Void]("{ const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('input')); }"),
		chromedp.Click(chromedp.CSS("#all")))
	if all := len(rows()); all <= some {
		p.t.Errorf("%d rows with all, %d without", all, some)
	}
}

func checkTheme(p *tab) {
	colour := func() string { return ask[string](p, "getComputedStyle(document.documentElement).backgroundColor") }
	seen := []string{colour()}
	for range 3 {
		p.do(chromedp.Click(chromedp.CSS("#theme")))
		seen = append(seen, colour())
	}
	if seen[0] != "rgb(255, 255, 255)" || seen[1] != seen[0] || seen[2] == seen[0] || seen[3] != seen[0] {
		p.t.Errorf("backgrounds of system, light, dark, system: %v", seen)
	}
}

// checkPrint prints: light, and without pixels.
func checkPrint(p *tab) {
	pdf := get(p, chromedp.PrintToPDF(chromedp.PDFPrintBackground()))
	if len(pdf) < 20_000 || bytes.Contains(pdf, []byte("/Subtype /Image")) {
		p.t.Errorf("a PDF of %d bytes, with pixels: %v", len(pdf), bytes.Contains(pdf, []byte("/Subtype /Image")))
	}
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	if colour := ask[string](p, "getComputedStyle(document.documentElement).backgroundColor"); colour != "rgb(255, 255, 255)" {
		p.t.Errorf("paper is %s", colour)
	}
}

// widest names the elements that make a page too wide.
const widest = `[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > 361 && !e.closest('.scroll, pre, svg')).slice(0, 5).map((e) => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40)).join('; ')`

// faintTexts are the texts with less contrast than WCAG 2.2 asks for (1.4.3,
// level AA: 4.5 to 1).
const faintTexts = `(() => {
	const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
	const rgba = (css) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1); return canvas.getImageData(0, 0, 1, 1).data; };
	const light = (c) => { const f = [0, 1, 2].map((i) => { const v = c[i] / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2]; };
	const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return rgba('#fff'); };
	const out = [];
	for (const e of document.querySelectorAll('body *')) {
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !e.getClientRects().length || e.closest('script, noscript, style')) continue;
		const style = getComputedStyle(e), a = light(rgba(e.namespaceURI.endsWith('svg') ? style.fill : style.color)), b = light(behind(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) out.push(e.textContent.trim().slice(0, 30) + ' ' + ratio.toFixed(2));
	}
	return out;
})()`
