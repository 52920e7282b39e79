//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser is a headless Chromium that is told what to do by its DevTools protocol, over
// a pair of pipes: JSON, each message ended by a zero byte.
type browser struct {
	t       *testing.T
	to      *os.File
	answers chan browserMessage
	session string
	next    int

	mu     sync.Mutex
	events []browserMessage // all since the last visit began
	loaded chan struct{}
}

type browserMessage struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct{ Message string }
}

// browserPatience is how long one command may take.
const browserPatience = 20 * time.Second

// newBrowser starts Chromium, or skips the test where something for it is missing.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	for _, tool := range []string{"chromium", "pdfinfo", "pdftotext"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool)
		}
	}
	if fonts, err := exec.Command("fc-list", ":lang=ja").Output(); err != nil || len(fonts) == 0 {
		missing(t, "a font with Japanese letters")
	}
	theirs, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, theirsOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{theirs, theirsOut}
	cmd.Env = append(os.Environ(), "LANG=C.UTF-8", "HOME="+t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	theirsOut.Close()
	b := &browser{t: t, to: to, answers: make(chan browserMessage, 1)}
	go b.listen(from)
	t.Cleanup(func() {
		b.session = ""
		b.do("Browser.close", nil, nil)
		to.Close()
		cmd.Wait() // or the folders cannot be removed
	})
	b.attach()
	return b
}

// missing skips a test by the name of what it lacks; in CI nothing may be lacking.
func missing(t *testing.T, tool string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("missing: %s", tool)
	}
	t.Skipf("missing: %s", tool)
}

// listen ends when Chromium does.
func (b *browser) listen(from *os.File) {
	defer close(b.answers)
	defer from.Close()
	for in := bufio.NewReader(from); ; {
		text, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var m browserMessage
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			return
		}
		if m.ID != 0 {
			b.answers <- m
			continue
		}
		b.mu.Lock()
		b.events = append(b.events, m)
		if m.Method == "Page.loadEventFired" && b.loaded != nil {
			close(b.loaded)
			b.loaded = nil
		}
		b.mu.Unlock()
	}
}

// do runs one command. into is where its result goes, nil for nowhere.
func (b *browser) do(method string, params, into any) {
	b.t.Helper()
	b.next++
	text, err := json.Marshal(map[string]any{"id": b.next, "method": method, "params": params, "sessionId": b.session})
	if b.session == "" {
		text, err = json.Marshal(map[string]any{"id": b.next, "method": method, "params": params})
	}
	if err == nil {
		_, err = b.to.Write(append(text, 0))
	}
	if err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	select {
	case m, ok := <-b.answers:
		if !ok || m.Error != nil || m.ID != b.next {
			b.t.Fatalf("%s: %+v", method, m)
		}
		if into != nil {
			if err := json.Unmarshal(m.Result, into); err != nil {
				b.t.Fatalf("%s: %v", method, err)
			}
		}
	case <-time.After(browserPatience):
		b.t.Fatalf("%s: no answer", method)
	}
}

// attach opens a page and asks to be told of what it does.
func (b *browser) attach() {
	var target struct{ TargetID string }
	b.do("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct{ SessionID string }
	b.do("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	b.session = session.SessionID
	for _, domain := range []string{"Page", "Network", "Runtime", "Log"} {
		b.do(domain+".enable", nil, nil)
	}
}

// visit shows a file in a window of that width, in CSS pixels.
func (b *browser) visit(path string, width int) {
	b.t.Helper()
	loaded := make(chan struct{})
	b.mu.Lock()
	b.events, b.loaded = nil, loaded
	b.mu.Unlock()
	b.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.do("Page.navigate", map[string]any{"url": "file://" + path}, nil)
	select {
	case <-loaded:
	case <-time.After(browserPatience):
		b.t.Fatalf("%s is not shown", path)
	}
}

// eval runs a script of the test's own in the page.
func (b *browser) eval(script string, into any) {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	b.do("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %+v", script, *r.ExceptionDetails)
	}
	if err := json.Unmarshal(r.Result.Value, into); err != nil {
		b.t.Fatalf("%s: %s: %v", script, r.Result.Value, err)
	}
}

// shoot returns a picture of the page, PNG, down to height CSS pixels.
func (b *browser) shoot(width, height int) []byte {
	b.t.Helper()
	var r struct{ Data []byte }
	b.do("Page.captureScreenshot", map[string]any{
		"format": "png", "captureBeyondViewport": true, "optimizeForSpeed": false,
		"clip": map[string]any{"x": 0, "y": 0, "width": width, "height": height, "scale": 0.7},
	}, &r)
	return r.Data
}

// print returns the page as it leaves the printer, PDF.
func (b *browser) print() []byte {
	b.t.Helper()
	var r struct{ Data []byte }
	b.do("Page.printToPDF", map[string]any{"preferCSSPageSize": true, "printBackground": false}, &r)
	return r.Data
}

// complaints lists what a page asked of the network beside itself, and what the console
// was told.
func (b *browser) complaints(path string) (list []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.events {
		switch m.Method {
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			if json.Unmarshal(m.Params, &p) != nil || p.Request.URL != "file://"+path {
				list = append(list, "asks for "+p.Request.URL)
			}
		case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
			list = append(list, fmt.Sprintf("%s: %s", m.Method, m.Params))
		}
	}
	return list
}

// pdfText returns the text of each sheet of paper, and the size of the paper.
func pdfText(t *testing.T, path string) (pages []string, size string) {
	t.Helper()
	info, err := exec.Command("pdfinfo", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(info)) {
		if value, ok := strings.CutPrefix(line, "Page size:"); ok {
			size = strings.TrimSpace(value)
		}
	}
	text, err := exec.Command("pdftotext", "-layout", path, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\f"), "\f"), size
}
