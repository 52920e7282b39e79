//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tests that boot the stick read
//
//	UNLOOP_STICK     the image; without it they are skipped
//	UNLOOP_VM_ALL    1: all of them, not only those that every change must pass
//	UNLOOP_VM_SLOW   a factor on all waiting, for a slow or busy machine; default 1
//	UNLOOP_VM_OUT    folder that gets the screens, and of a failed test all that is known
//	UNLOOP_VM_TABLE  file that gets a row of scripts/vm-matrix.md for each PC
const (
	stickVariable = "UNLOOP_STICK"
	allVariable   = "UNLOOP_VM_ALL"
	slowVariable  = "UNLOOP_VM_SLOW"
	outVariable   = "UNLOOP_VM_OUT"
	tableVariable = "UNLOOP_VM_TABLE"
)

// How long a PC under software emulation may take, beside another one.
const (
	bootTime   = 150 * time.Second // from power on to a word of unloop
	stepTime   = 60 * time.Second  // from one word to the next
	qmpTime    = 20 * time.Second
	wholeTime  = 6 * time.Minute // a PC that is still running then is killed
	killedTime = 10 * time.Second
	stillTime  = 500 * time.Millisecond // without change: the screen is drawn
)

// A vmRun is a PC that runs.
type vmRun struct {
	vm
	t       *testing.T
	stick   *vmStick
	console *console
	keys    io.Writer // the serial line's other direction
	qmp     *qmp
	slow    float64
	kill    context.CancelFunc
	ended   chan struct{} // closed when QEMU has ended
	exit    error         // then: how
	stderr  bytes.Buffer  // then: what it said
	command string
	row     vmRow

	pulledEarly bool // the stick was pulled out before unloop said that it may be
}

// bootStick starts a PC from a copy of the stick. It is dead when the test ends.
func bootStick(t *testing.T, v vm) *vmRun {
	t.Helper()
	image := os.Getenv(stickVariable)
	if image == "" {
		t.Skip(stickVariable + " names no image of a stick")
	}
	v = v.withDefaults()
	need(t, v.qemu(), "mcopy", "mdir", "fsck.fat")
	if v.disks == nil {
		v.disks = []*disk{loopingDisk(t)}
	}
	dir := t.TempDir()
	for _, d := range v.disks {
		if d.path == "" {
			d.plugIn(t)
		}
	}
	m := &vmRun{vm: v, t: t, slow: slowness(t), stick: v.used, ended: make(chan struct{})}
	if m.stick == nil {
		m.stick = newStick(t, image)
	}
	if err := m.stick.prepare(v); err != nil {
		t.Fatal(err)
	}
	vars := filepath.Join(dir, "vars.fd")
	if f := firmwares[v.firmware]; f.vars != "" {
		copyFirmware(t, f, vars)
	}
	m.powerOn(v.args(m.stick.path, vars))
	return m
}

// slowness is the factor on all waiting.
func slowness(t *testing.T) float64 {
	t.Helper()
	text := os.Getenv(slowVariable)
	if text == "" {
		return 1
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f <= 0 {
		t.Fatalf("%s=%q is not a factor", slowVariable, text)
	}
	return f
}

func (m *vmRun) patience(d time.Duration) time.Duration {
	return time.Duration(float64(d) * m.slow)
}

// copyFirmware copies the variables of a firmware, the one part that a PC writes to.
func copyFirmware(t *testing.T, f firmware, to string) {
	t.Helper()
	needFile(t, ovmf+f.code)
	needFile(t, ovmf+f.vars)
	data, err := os.ReadFile(ovmf + f.vars)
	if err := errors.Join(err, os.WriteFile(to, data, 0o666)); err != nil {
		t.Fatal(err)
	}
}

// needFile skips a test where a file of another package is missing; in CI that is an
// error.
func needFile(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not there", path)
	}
	t.Skipf("%s is not there", path)
}

// powerOn starts QEMU, and has it killed when the test ends, its time is over, or this
// process dies.
func (m *vmRun) powerOn(args []string) {
	m.t.Helper()
	q, theirs, err := newQMP()
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), m.patience(wholeTime))
	cmd := exec.CommandContext(ctx, m.qemu(), args...)
	m.qmp, m.kill, m.command, m.console = q, cancel, cmd.String(), newConsole()
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = m.console, &m.stderr, []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = killedTime
	if m.keys, err = cmd.StdinPipe(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(m.tidyUp)
	started := make(chan error)
	go m.watch(cmd, started)
	err = <-started
	theirs.Close() // or we would not see QEMU's end
	if err != nil {
		m.t.Fatalf("starting %s: %v", m.qemu(), err)
	}
	if err := q.execute(m.patience(qmpTime), "qmp_capabilities", nil); err != nil {
		m.kill()
		<-m.ended
		m.t.Fatalf("%v: %s", err, m.stderr.String())
	}
}

// watch starts QEMU and waits for it, on one thread, as the death signal comes when the
// thread that started it ends.
func (m *vmRun) watch(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer close(m.ended)
	defer m.console.end()
	err := cmd.Start()
	started <- err
	if err == nil {
		m.exit = cmd.Wait()
	}
}

// tidyUp ends QEMU, after keeping what a failed test needs to be understood.
func (m *vmRun) tidyUp() {
	if m.t.Failed() {
		m.keepEvidence()
	} else {
		m.writeRow()
	}
	m.kill()
	<-m.ended
	m.qmp.conn.Close()
}

// keepEvidence writes the whole serial log, the screen and QEMU's command line to the
// folder for them, and the plain text of the log into the test's own.
func (m *vmRun) keepEvidence() {
	raw, plain := m.console.text()
	m.t.Logf("the PC %s said:\n%s", m, plain)
	if path, err := m.screenshot("failed"); err != nil {
		m.t.Log(err)
	} else {
		m.t.Log("kept ", path)
	}
	m.keep("serial.log", raw)
	m.keep("qemu.txt", m.command+"\n")
}

func (m *vmRun) keep(name, content string) {
	dir, err := m.out()
	path := filepath.Join(dir, name)
	if err := errors.Join(err, os.WriteFile(path, []byte(content), 0o666)); err != nil {
		m.t.Error(err)
		return
	}
	m.t.Log("kept ", path)
}

// out makes the folder for what is to be kept of this test.
func (m *vmRun) out() (string, error) {
	dir := os.Getenv(outVariable)
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "unloop-vm")
	}
	dir = filepath.Join(dir, strings.NewReplacer("/", "-", " ", "-").Replace(m.t.Name()))
	return dir, os.MkdirAll(dir, 0o777)
}

// screenshot keeps the PC's screen as a picture.
func (m *vmRun) screenshot(name string) (path string, err error) {
	dir, err := m.out()
	if err != nil {
		return "", err
	}
	if path, err = filepath.Abs(filepath.Join(dir, name+".png")); err != nil {
		return "", err
	}
	return path, m.qmp.execute(m.patience(qmpTime), "screendump", map[string]any{"filename": path, "format": "png"})
}

// String says what kind of PC it is.
func (v vm) String() string {
	disks := "no disk"
	if len(v.disks) > 0 {
		disks = fmt.Sprintf("%d %s", len(v.disks), v.bus)
	}
	return fmt.Sprintf("%s, %s, %d MB, %s, %s", v.firmware, v.cpu, v.memory, disks, v.mode)
}

// expect waits for a word of the PC behind what it said before.
func (m *vmRun) expect(pattern string) []string {
	m.t.Helper()
	groups, _ := m.expectWithin(pattern, stepTime)
	return groups
}

func (m *vmRun) expectWithin(pattern string, limit time.Duration) ([]string, time.Duration) {
	m.t.Helper()
	groups, after, err := m.console.expect(pattern, m.patience(limit))
	if err != nil {
		m.t.Fatal(err)
	}
	return groups, after
}

// result waits for the end state, which comes with its times, and wants it to be so.
func (m *vmRun) result(pattern string) {
	m.t.Helper()
	var groups []string
	groups, m.row.resultAfter = m.expectWithin(`unloop: result: (.*)\n`, bootTime)
	m.row.result, m.row.kernelAfter = groups[1], m.console.first("Linux version")
	if !regexp.MustCompile(`^(` + pattern + `)$`).MatchString(groups[1]) {
		m.t.Fatalf("the result is %q, want %q", groups[1], pattern)
	}
	m.row.times = m.expect(`unloop: times: (.*)\n`)[1]
}

// said wants a word anywhere in what the PC has said so far.
func (m *vmRun) said(pattern string) {
	m.t.Helper()
	if _, plain := m.console.text(); !regexp.MustCompile(pattern).MatchString(plain) {
		m.t.Errorf("the PC has not said %q", pattern)
	}
}

// press presses a key of the keyboard that belongs to the screen: enter, or a letter.
func (m *vmRun) press(key string) {
	m.t.Helper()
	var err error
	switch {
	case m.screen == "ttyS0" && key == "enter":
		_, err = m.keys.Write([]byte("\r"))
	case m.screen == "ttyS0":
		_, err = m.keys.Write([]byte(key))
	case key == "enter":
		err = m.qmp.press(m.patience(qmpTime), "ret")
	default:
		err = m.qmp.press(m.patience(qmpTime), key)
	}
	if err != nil {
		m.t.Fatalf("pressing %s: %v", key, err)
	}
}

// types writes a line to the shell on the serial console.
func (m *vmRun) types(line string) {
	m.t.Helper()
	if _, err := m.keys.Write([]byte(line + "\r")); err != nil {
		m.t.Fatalf("typing %q: %v", line, err)
	}
}

// pull pulls the stick out.
func (m *vmRun) pull() {
	m.t.Helper()
	if err := m.qmp.execute(m.patience(qmpTime), "device_del", map[string]any{"id": "stick"}); err != nil {
		m.t.Fatal(err)
	}
	_, plain := m.console.text()
	m.pulledEarly = !strings.Contains(plain, "the stick may be pulled out now")
}

// ends waits for the PC's end and wants it for that reason: guest-shutdown or
// guest-reset. Then the stick must be sound, unless it was pulled out too early.
func (m *vmRun) ends(reason string) {
	m.t.Helper()
	select {
	case <-m.ended:
	case <-time.After(m.patience(stepTime)):
		m.t.Fatalf("the PC is still on after %v", m.patience(stepTime))
	}
	m.row.offAfter = time.Since(m.console.begin)
	if got := m.qmp.shutdown(); got != reason || m.exit != nil {
		m.t.Fatalf("the PC ended by %q, want %q; %v: %s", got, reason, m.exit, m.stderr.String())
	}
	if err := m.stick.sound(); err != nil && !m.pulledEarly {
		m.t.Error(err)
	}
}

// shoot keeps a picture of the screen, once it no longer changes, for people to look at.
func (m *vmRun) shoot(name string) {
	m.t.Helper()
	var last []byte
	for range 20 {
		path, err := m.screenshot(name)
		if err != nil {
			m.t.Fatal(err)
		}
		now, err := os.ReadFile(path)
		if err != nil {
			m.t.Fatal(err)
		}
		if bytes.Equal(now, last) {
			return
		}
		last = now
		time.Sleep(m.patience(stillTime))
	}
	m.t.Errorf("the screen %s does not come to rest", name)
}

// wantRepaired looks at the disk and at the record after the PC is off.
func (m *vmRun) wantRepaired(d *disk) {
	m.t.Helper()
	if err := d.repaired(); err != nil {
		m.t.Error(err)
	}
	if err := m.stick.recorded(d); err != nil {
		m.t.Error(err)
	}
}

// wantUntouched wants the disk to be, to the byte, as it was.
func (m *vmRun) wantUntouched(d *disk) {
	m.t.Helper()
	if err := d.untouched(); err != nil {
		m.t.Error(err)
	}
}
