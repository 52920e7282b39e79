package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// recordFolder is a new folder for the record of an installation; of the PC where res is nil.
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
	if r.unrecorded && c.mood == moodGood {
		c.mood = moodNote
	}
	word := c.result
	if c.why != nil {
		word += ": " + r.because(c)
	}
	r.tell("unloop: result: " + word)
	r.tell(fmt.Sprintf("unloop: times: kernel %v, %v, in all %v", r.started, r.times, uptime()))
	r.sounded = make(chan struct{})
	go func(done chan<- struct{}) {
		defer close(done)
		beep(r.console, beepCode(c.mood))
	}(r.sounded)
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
	about := slices.DeleteFunc(l.installations(), func(res *result) bool {
		return res.of != nil || res.Status == statusSkipped && (res.other == nil || res.other.Status == statusSkipped)
	})
	if len(about) == 0 {
		about = append(about, append(l.installations(), nil)[0])
	}
	for _, res := range about {
		dir := ""
		for _, o := range l.offers {
			if o.main == res {
				dir = o.kept()
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
	switch err := r.unmount(r.stick, r.stickAt); {
	case errors.Is(err, errStickBusy):
		r.note("init.stickbusy")
		return
	case err != nil:
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

// leave ends the PC's session: everything is on the media, then the PC restarts or
// switches off.
func (r *rescue) leave(command int, key string) {
	r.lookAway()
	r.releaseStick()
	if command == unix.LINUX_REBOOT_CMD_RESTART && r.settings.Mode != modeAsk && r.stick.present(r.sys) {
		r.awaitPulled()
	}
	r.note(key)
	select { // the speaker's last tone
	case <-r.sounded:
	case <-time.After(2 * time.Second):
	}
	syncAll()
	if err := unix.Reboot(command); err != nil {
		r.note("init.problem", err)
	}
	time.Sleep(10 * time.Second) // the kernel is on its way; if it is not, a page follows
	r.stickGone = r.findStick()
	r.settings.After = afterAsk
}

// syncPatience is how long the PC waits for disks to take what is still in memory. What
// unloop wrote is on the medium long before; a disk that hangs must not keep the PC on.
const syncPatience = 10 * time.Second

func syncAll() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		unix.Sync()
	}()
	select {
	case <-done:
	case <-time.After(syncPatience):
	}
}

// pullPatience is how long a restart without a person waits for the stick to be pulled
// out: a PC that starts from it again would go through everything once more.
const pullPatience = 20 * time.Second

func (r *rescue) awaitPulled() {
	r.note("init.awaitpull", int(pullPatience.Seconds()))
	for end := time.Now().Add(pullPatience); time.Now().Before(end) && r.stick.present(r.sys); {
		time.Sleep(200 * time.Millisecond)
	}
}
