package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"
	"golang.org/x/sys/unix"

	"unloop/hive"
	"unloop/image"
)

// rescue is one start of a PC from the stick.
type rescue struct {
	*env
	places
	log        *runLog
	console    string            // where screen and keys are
	kernel     map[string]string // options of the kernel line
	settings   settings
	unclear    error // why unloop.toml is not followed
	machine    machine
	drivers    *drivers
	stick      *stickVolume
	stickGone  error // why there is no stick to write to
	unrecorded bool  // a record could not be written
	view       *view
	windows    string  // device of the Windows volume to be looked at
	started    seconds // from the kernel's start to ours
}

// places are where a session finds the PC's devices, the stick and the screen. Tests
// have their own.
type places struct {
	sys      string // where the kernel tells of devices
	dev      string // where their nodes are
	modules  string // where the kernel's modules are
	stickAt  string // where the stick's volume is mounted
	allDisks func() ([]string, error)
	screen   func() (tcell.Screen, error)
	mounted  func(dir string) bool
	mount    func(s *stickVolume, dir string) error
	unmount  func(s *stickVolume, dir string) error
}

func (e *env) realPlaces() places {
	return places{
		sys: "/sys", dev: "/dev", modules: "/lib/modules", stickAt: stickAt, allDisks: e.host.Disks, screen: openScreen,
		mounted: mountedAt, mount: (*stickVolume).mount, unmount: (*stickVolume).unmount,
	}
}

// next is what follows a page.
type next int

const (
	nextLook next = iota // look at the PC again
	nextUndo
	nextReboot
	nextPowerOff
)

// runRescue is the whole session on the stick. It ends by switching the PC off or
// starting it anew; an error means that neither was possible.
func (e *env) runRescue(line string) error {
	signal.Ignore(unix.SIGTTOU, unix.SIGTTIN)            // the terminal is lent to a shell and taken back
	signal.Notify(make(chan os.Signal, 1), unix.SIGQUIT) // Ctrl-\ must not end a session in mid-write
	names := consoles(line)
	console := names[len(names)-1]
	log := &runLog{main: os.Stdout, mirrors: openMirrors(names[:len(names)-1])}
	e.ctx, e.out, e.err, e.lang = context.Background(), log, log, "en"
	e.onStick = true
	r := &rescue{env: e, places: e.realPlaces(), log: log, console: console, kernel: kernelOptions(line), settings: defaultSettings(), started: uptime()}
	r.times = newStopwatch(time.Now)
	return r.run()
}

func (r *rescue) run() error {
	r.note("init.hello", versionLine())
	r.begin()
	for first := true; ; first = false {
		switch r.turn(first)() {
		case nextReboot:
			r.leave(unix.LINUX_REBOOT_CMD_RESTART, "init.reboot")
		case nextPowerOff:
			r.leave(unix.LINUX_REBOOT_CMD_POWER_OFF, "init.poweroff")
		}
	}
}

// turn chooses how the PC is looked at, for the first time or again. Who comes back to
// auto is a person, who is asked; a dry run offers no repair as long as it lasts.
func (r *rescue) turn(first bool) func() next {
	if r.settings.Mode == modeDryRun || r.settings.Mode == modeAuto && first {
		return r.unattended
	}
	return r.ask
}

// begin makes the PC's devices known, finds the stick and reads its settings.
func (r *rescue) begin() {
	r.machine = readMachine(r.sys)
	r.diskName = func(path string) string { return r.machine.diskIdentity(r.sys, path) }
	if err := r.findDevices(); err != nil {
		r.note("problem", err)
	}
	r.times.ended("devices")
	r.ready()
	r.times.ended("stick")
}

// findDevices loads drivers until the disks and the stick are there.
func (r *rescue) findDevices() error {
	defer r.busy(stageDiscover, r.text("label.devices"))()
	news, err := listenUevents()
	if err != nil {
		return err
	}
	defer news.close()
	if r.drivers == nil {
		if r.drivers, err = openDrivers(r.modules); err != nil {
			return err
		}
	}
	for _, name := range []string{"vfat", "nls_cp437", "nls_ascii", "nls_utf8", "fuse", "sd_mod"} {
		r.drivers.load(name)
	}
	id := r.kernel["unloop.stick"]
	err = r.drivers.settle(r.sys, news, func() bool { return len(sticks(r.sys, r.dev, id)) > 0 })
	for _, problem := range r.drivers.failed {
		r.note("init.module", problem)
	}
	r.drivers.failed = nil
	return err
}

// ready mounts the stick and follows its settings. Without it nothing will be written,
// as there is no place for a backup.
func (r *rescue) ready() {
	if r.stickGone = r.findStick(); r.stickGone != nil {
		r.complain(r.text("label.stick"), r.stickGone)
		return
	}
	r.note("init.stick", r.stick.device, r.stick.about)
	r.settings, r.unclear = readSettingsFile(r.stickAt)
	if r.unclear == nil {
		r.settings, r.unclear = r.settings.withKernelLine(r.kernel)
	}
	if r.unclear != nil {
		r.settings = defaultSettings()
		if r.kernel["unloop.mode"] == modeDryRun {
			r.settings.Mode = modeDryRun // the menu's word, and it writes nothing
		}
		r.complain("unloop.toml", r.unclear)
	}
	if !isVT(r.console) {
		r.lang = r.settings.Language // the PC's own screen has no Japanese letters
	}
	if err := setKeyboard(r.settings.Keyboard); err != nil {
		r.note("problem", err)
	}
}

// findStick finds and mounts the stick, unless it is mounted.
func (r *rescue) findStick() error {
	if r.mounted(r.stickAt) {
		if r.stick.present(r.sys) {
			return nil
		}
		if err := unix.Unmount(r.stickAt, unix.MNT_DETACH); err != nil { // it was pulled out
			return fmt.Errorf("unmounting the stick: %w", err)
		}
	}
	all := sticks(r.sys, r.dev, r.kernel["unloop.stick"])
	if len(all) == 0 {
		return errNoStick
	}
	chosen := slices.IndexFunc(all, func(s stickVolume) bool { return r.stick != nil && s.device == r.stick.device })
	switch {
	case chosen >= 0: // asked before
		r.stick = &all[chosen]
	case len(all) > 1:
		r.stick = r.whichStick(all)
	default:
		r.stick = &all[0]
	}
	return r.mount(r.stick, r.stickAt)
}

// whichStick asks which of several volumes with the same id is to keep the record: sticks
// copied byte by byte cannot be told apart otherwise.
func (r *rescue) whichStick(all []stickVolume) *stickVolume {
	p := &page{title: r.text("stick.which"), mood: moodNote}
	for i, s := range all[:min(len(all), 9)] {
		word := fmt.Sprintf("%d  %s  %s", i+1, s.device, s.about)
		p.add(linePlain, escape(word))
		p.keys = append(p.keys, pageKey{rune('1' + i), itoa(i + 1)})
	}
	p.add(linePlain, "")
	p.add(linePlain, r.text("stick.whichhelp"))
	return &all[int(r.show(p)-'1')]
}

// recognise notes which PC an undo is of, for the record.
func (e *env) recognise(in *image.Installation, w *writer, err error, res *result) {
	var h *hive.Hive
	switch {
	case w != nil:
		h = w.change.Old
	case err == nil:
		return // skipped, or nothing to do
	default:
		if _, h, err = e.read(in, res); err != nil {
			return // that is what went wrong
		}
	}
	if f, err := h.Inspect(hive.Scope{}); err == nil {
		res.fill(f)
	}
}

// whichBackup asks which of several repairs is to be taken back; the newest stand first.
func (r *rescue) whichBackup(in *image.Installation, backups []*hive.Backup) string {
	backups = slices.Clone(backups)
	slices.Reverse(backups)
	p := &page{title: r.text("stick.whichbackup"), mood: moodNote}
	p.add(linePlain, r.text("stick.whichbackuphelp", in.ConfigLabel("SYSTEM")))
	p.add(linePlain, "")
	for i, b := range backups[:min(len(backups), 9)] {
		p.add(linePlain, r.text("stick.onebackup", i+1, b.Time.Format("2006-01-02 15:04"), b.Hive.Computer, len(b.Edits), strings.TrimPrefix(b.Dir, r.stickAt+"/")))
		p.keys = append(p.keys, pageKey{rune('1' + i), itoa(i + 1)})
	}
	return backups[int(r.show(p)-'1')].Dir
}

// disks lists the disks to look at: all but the stick.
func (r *rescue) disks() []string {
	all, err := r.allDisks()
	if err != nil {
		r.note("problem", err)
	}
	for _, s := range sticks(r.sys, r.dev, r.kernel["unloop.stick"]) {
		all = slices.DeleteFunc(all, func(disk string) bool { return disk == s.disk })
	}
	return all
}

// repairs looks at the disks for what can be repaired.
func (r *rescue) repairs(dryRun bool) *looked {
	o := repairOptions{crosscheck: "require"}
	o.fixes, _ = parseFixes(r.settings.Fix) // checked when they were read
	if !slices.Equal(r.settings.Services, hive.DefaultServices()) {
		o.scope.Services = r.settings.Services
	}
	o.backup, o.named = filepath.Join(r.stickAt, recordsFolder), true
	l := r.look(r.disks(), "repair", dryRun, func(e *env, src *image.Source, in *image.Installation, res *result) (*writer, *hive.Backup, error) {
		w, err := e.proposeRepair(src, in, res, o, false)
		return w, nil, err
	})
	r.lookInto(l)
	return l
}

// undos looks at the disks for what can be taken back with the backups on the stick.
func (r *rescue) undos() *looked {
	o := undoOptions{crosscheck: "require"}
	o.backup, o.named = filepath.Join(r.stickAt, recordsFolder), true
	return r.look(r.disks(), "undo", false, func(e *env, src *image.Source, in *image.Installation, res *result) (*writer, *hive.Backup, error) {
		w, b, err := e.proposeUndo(src, in, res, o, false)
		var several *hive.SeveralBackups
		if errors.As(err, &several) {
			o := o
			o.from = r.whichBackup(in, several.Backups)
			w, b, err = e.proposeUndo(src, in, res, o, false)
		}
		e.recognise(in, w, err, res)
		return w, b, err
	})
}

// lookInto mounts the Windows volume that matters most read-only, for the shell.
func (r *rescue) lookInto(l *looked) {
	var in *image.Installation
	var disk string
	for i, src := range l.sources {
		if src != nil && in == nil && len(src.Installations()) > 0 {
			in, disk = src.Installations()[0], l.targets[i].Target
		}
	}
	if len(l.offers) > 0 {
		in, disk = l.offers[0].w.in, l.offers[0].target.Target
	}
	if in == nil || in.Volume == nil || r.view != nil {
		return
	}
	device, err := partitionAt(r.sys, disk, in.Volume.Offset)
	if err != nil {
		r.note("init.noview", err)
		return
	}
	r.windows = device
	r.openView()
}

// openView mounts the Windows volume, unless it is mounted.
func (r *rescue) openView() {
	if r.view != nil || r.windows == "" {
		return
	}
	var err error
	if r.view, err = openView(r.windows); err != nil {
		r.note("init.noview", err)
		return
	}
	r.stage(stageDiscover, "init.view", r.windows, viewAt)
}

// lookAway unmounts it again, as nothing may be mounted that is written to.
func (r *rescue) lookAway() {
	if err := r.view.close(); err != nil {
		r.note("problem", err)
	}
	r.view = nil
}

// unattended is auto and dry-run: everything without a question.
func (r *rescue) unattended() next {
	dryRun := r.settings.Mode == modeDryRun
	l := r.repairs(dryRun)
	r.lookAway()
	for _, o := range l.offers {
		res := o.w.r
		switch {
		case dryRun:
			if err := o.w.judge(); err != nil {
				res.fail(r.env, err)
				r.complain(res.Hive, err)
			}
		case res.Verdict == hive.Unknown:
			res.fail(r.env, errUnknownWindows)
			r.complain(res.Hive, errUnknownWindows)
		default:
			r.carryOut(o)
		}
	}
	c := r.conclude(l)
	switch after := r.settings.After; {
	case after == afterShell:
		r.shell()
		r.releaseStick()
	case r.unrecorded, after == afterReboot && c.why != nil: // nobody would learn of it
	case after == afterReboot:
		return nextReboot
	case after == afterPowerOff:
		return nextPowerOff
	}
	return r.endPage(l, c)
}

// carryOut writes one offer, its backup going into the record of its own.
func (r *rescue) carryOut(o *offer) {
	r.lookAway()
	if err := r.writable(); err != nil {
		o.w.r.fail(r.env, err)
		r.complain(o.w.r.Hive, err)
		return
	}
	o.w.dir = r.recordFolder(o.w.r)
	err := o.carryOut()
	switch {
	case err == nil:
		return
	case !r.stick.present(r.sys):
		err = fmt.Errorf("%w: %w", errStickGone, err)
	case errors.Is(err, hive.ErrBackup):
		err = fmt.Errorf("%w: %w", errStickBackup, err)
	}
	o.w.r.fail(r.env, err)
	r.complain(o.w.r.Hive, err)
}

// writable says why no backup can be written to the stick.
func (r *rescue) writable() error {
	switch {
	case r.stickGone != nil:
		return r.stickGone
	case r.stick == nil:
		return errNoStick
	case !r.mounted(r.stickAt): // its folder is in memory then
		return errNoStick
	case !r.stick.present(r.sys):
		return errStickGone
	case r.stick.readOnly:
		return errStickReadOnly
	}
	return nil
}

// recordFolder is a new folder for the record of an installation; nil if none was found.
func (r *rescue) recordFolder(res *result) string {
	computer := ""
	if res != nil && res.Windows != nil {
		computer = res.Windows.Computer
	}
	return freshFolder(filepath.Join(r.stickAt, recordsFolder, recordName(r.now().UTC(), computer, r.machine.Serial)))
}

// conclude sums the run up, gives the disks back, writes the record, and says and sounds
// how it ended.
func (r *rescue) conclude(l *looked) conclusion {
	nothing := r.nothingFound(l, driverless(r.sys))
	l.close(r.env)
	l.leave()
	for _, t := range l.targets {
		t.conclude()
	}
	c := l.conclude()
	if c.mood == moodBad && c.why == nil {
		c.why, c.label = r.errorResult(nothing), ""
		r.complain(r.text("label.pc"), nothing)
	}
	r.times.ended(stageReport)
	r.leaveRecord(l, c)
	r.releaseStick()
	word := c.result
	if c.why != nil {
		word += ": " + r.because(c)
	}
	r.tell("unloop: result: " + word)
	r.tell(fmt.Sprintf("unloop: times: kernel %v, %v, in all %v", r.started, r.times, uptime()))
	go beep(r.console, beepCode(c.mood))
	return c
}

// uptime is how long ago the kernel started.
func uptime() seconds {
	var up unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) != nil {
		return 0
	}
	return seconds(up.Nano())
}

// leaveRecord writes a record of each installation that something was done to, or could
// not be; one of the PC where there is none.
func (r *rescue) leaveRecord(l *looked, c conclusion) {
	r.unrecorded = false
	if err := r.writable(); err != nil {
		r.noRecord(err)
		return
	}
	about := slices.DeleteFunc(l.installations(), func(res *result) bool { return res.Status == statusSkipped })
	if len(about) == 0 {
		about = append(about, append(l.installations(), nil)[0])
	}
	for _, res := range about {
		dir := ""
		for _, o := range l.offers {
			if o.w.r == res && res.Backup != "" {
				dir = res.Backup
			}
		}
		if dir == "" {
			dir = r.recordFolder(res)
		}
		own := c // a record tells how it ended for its own installation
		if res != nil && len(l.installations()) > 1 {
			own = l.only(res).conclude()
		}
		if err := r.leaveOne(dir, l, own, res); err != nil {
			r.noRecord(err)
			continue
		}
		r.stage(stageReport, "init.record", strings.TrimPrefix(dir, r.stickAt+"/"))
	}
}

func (r *rescue) leaveOne(dir string, l *looked, c conclusion, res *result) error {
	re := *r.env
	re.lang = r.settings.Language
	rep := &stickReport{
		Tool: versionLine(), Kernel: readLine("/proc/sys/kernel/osrelease"), Time: r.now().UTC().Format("2006-01-02 15:04:05"),
		Machine: r.machine, Mode: r.settings.Mode, Result: c.result, Stages: r.times.all(), Targets: l.targets,
	}
	if c.why != nil {
		rep.Reason = re.because(c) + ". " + re.hint(c.why.Key)
	}
	var failed []byte
	if c.why != nil {
		failed = append([]byte(r.log.Kept()+"\n"), kernelLog()...)
	}
	files, err := re.recordFiles(rep, res, l.targetOf(res), failed)
	if err != nil {
		return err
	}
	return writeRecord(dir, files)
}

// releaseStick unmounts the stick, so that it can be pulled out.
func (r *rescue) releaseStick() {
	if r.stick == nil || !r.mounted(r.stickAt) {
		return
	}
	if err := r.unmount(r.stick, r.stickAt); err != nil {
		r.noRecord(err)
		return
	}
	if r.stick.present(r.sys) {
		r.note("init.pull")
	}
}

// noRecord says that a record is not on the stick, or may not be.
func (r *rescue) noRecord(why error) {
	r.unrecorded = true
	r.complain(r.text("label.stick"), fmt.Errorf("%w: %w", errNoRecord, why))
}

// kernelLog returns the kernel's own messages.
func kernelLog() []byte {
	const readAll = 3 // syslog(2): SYSLOG_ACTION_READ_ALL
	b := make([]byte, 1<<20)
	n, err := unix.Klogctl(readAll, b)
	if err != nil {
		return nil
	}
	return b[:n]
}

// show shows a page and returns the key that was pressed. Where no screen can be had the
// page is printed and the key typed.
func (r *rescue) show(p *page) rune {
	defer r.times.skip()
	screen, err := r.screen()
	if err == nil {
		r.log.Aside("unloop: " + r.text("init.waits", p.title))
		var key rune
		key, err = p.show(screen, r.text("page.more"))
		screen.Fini()
		if err == nil {
			return key
		}
	}
	r.note("init.noscreen", err)
	for {
		key, err := p.ask(r.in, os.Stdout)
		if err == nil {
			return key
		}
		time.Sleep(time.Second) // a terminal that is gone may come back
	}
}

func openScreen() (tcell.Screen, error) {
	if err := forgetKeys(os.Stdin); err != nil {
		return nil, err
	}
	tty, err := tcell.NewDevTty()
	if err != nil {
		return nil, err
	}
	screen, err := tcell.NewTerminfoScreenFromTty(tty)
	if err != nil {
		return nil, errors.Join(err, tty.Close())
	}
	if err := screen.Init(); err != nil {
		return nil, errors.Join(err, tty.Close())
	}
	return screen, nil
}

// shell gives the technician a shell; the Windows volume is at /windows, the stick at
// /stick.
func (r *rescue) shell() {
	defer r.times.skip()
	if err := r.findStick(); err != nil {
		r.note("problem", err)
	}
	r.openView()
	r.note("init.shell", viewAt, r.stickAt)
	if out, err := exec.Command("busybox", "--install", "-s", "/bin").CombinedOutput(); err != nil {
		r.note("problem", fmt.Errorf("%w: %s", err, out))
	}
	cmd := exec.Command("sh", "-l")
	// Our own standard error is a file, for the case that we crash.
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stdout
	cmd.Env = append(os.Environ(), "PS1=unloop:\\w# ", "HOME=/", "XDG_STATE_HOME="+r.stickAt+"/"+recordsFolder)
	if err := cmd.Run(); err != nil {
		r.note("init.shellend", err)
	}
	// A shell that was killed has not given the terminal back.
	if err := unix.IoctlSetPointerInt(int(os.Stdin.Fd()), unix.TIOCSPGRP, unix.Getpgrp()); err != nil {
		r.note("problem", err)
	}
}

// leave ends the PC's session: everything is on the media, then the PC restarts or
// switches off.
func (r *rescue) leave(command int, key string) {
	r.lookAway()
	r.releaseStick()
	if command == unix.LINUX_REBOOT_CMD_RESTART && r.settings.Mode != modeAsk && r.stick != nil {
		r.awaitPulled()
	}
	r.note(key)
	unix.Sync()
	if err := unix.Reboot(command); err != nil {
		r.note("problem", err)
	}
	time.Sleep(10 * time.Second) // the kernel is on its way; if it is not, a page follows
	r.stickGone = r.findStick()
	r.settings.After = afterAsk
}

// pullPatience is how long a restart without a person waits for the stick to be pulled
// out: a PC that starts from it again would go through everything once more.
const pullPatience = 20 * time.Second

func (r *rescue) awaitPulled() {
	r.note("init.awaitpull", int(pullPatience.Seconds()))
	for end := time.Now().Add(pullPatience); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(r.sys, "class/block", filepath.Base(r.stick.disk))); err != nil {
			return
		}
	}
}
