package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sys/unix"
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
	ids        volumeIDs
	stick      *stickVolume
	stickGone  error         // why there is no stick to write to
	sounded    chan struct{} // closed when the speaker is silent; nil: it never spoke
	unrecorded bool          // a record could not be written
	frame      *frame        // the PC's screen, if unloop draws it itself
	frameless  error         // why it never will
	chosen     string        // the language that a person or the kernel line wants; "": the settings'
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
	screen   func(quiet bool) (screen, error) // quiet: for its keys alone
	newFrame func() (*frame, error)
	mounted  func(dir string) bool
	mount    func(s *stickVolume, dir string) error
	unmount  func(s *stickVolume, dir string) error
}

func (e *env) realPlaces() places {
	return places{
		sys: "/sys", dev: "/dev", modules: "/lib/modules", stickAt: stickAt, allDisks: e.host.Disks, screen: openTerminal, newFrame: realFrame,
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
	limitMemory()
	names := consoles(line)
	console := names[len(names)-1]
	log := &runLog{main: os.Stdout, mirrors: openMirrors(names[:len(names)-1])}
	e.ctx, e.out, e.err, e.lang = context.Background(), log, log, "en"
	e.onStick, e.flush = true, syncMedium
	r := &rescue{env: e, places: e.realPlaces(), log: log, console: console, kernel: kernelOptions(line), settings: defaultSettings(), started: uptime()}
	r.times = newStopwatch(time.Now)
	return r.run()
}

// limitMemory lets garbage be collected sooner once half of the PC's memory is used: the
// stick's files lie in the other half, the judge works there, and a PC has 512 MB while a
// SOFTWARE hive may have 60.
func limitMemory() {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		debug.SetMemoryLimit(int64(info.Totalram) * int64(info.Unit) / 2)
	}
}

func (r *rescue) run() error {
	r.speakFirst()
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
		r.note("init.problem", err)
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
	r.ids = volumeIDs{}
	err = r.drivers.settle(r.sys, news, func() bool { return len(r.sticks()) > 0 })
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
	r.speak(cmp.Or(r.chosen, r.settings.Language))
	if err := setKeyboard(r.settings.Keyboard); err != nil {
		r.note("init.problem", err)
	}
}

// sticks lists the volumes with the id that this PC was started from.
func (r *rescue) sticks() []stickVolume {
	if r.ids == nil {
		r.ids = volumeIDs{}
	}
	return sticks(r.sys, r.dev, r.kernel["unloop.stick"], r.ids)
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
	all := r.sticks()
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

// disks lists the disks to look at: all but the stick.
func (r *rescue) disks() []string {
	all, err := r.allDisks()
	if err != nil {
		r.note("init.problem", err)
	}
	for _, s := range r.sticks() {
		all = slices.DeleteFunc(all, func(disk string) bool { return disk == s.disk })
	}
	return all
}
