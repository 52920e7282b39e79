package main

import (
	"errors"
	"fmt"
	"io/fs"

	"unloop/hive"
)

// errNoSoftware says that the hive which the fix updates changes is not there.
var errNoSoftware = errors.New("there is no SOFTWARE hive beside the SYSTEM hive")

// besides makes the result of the installation's SOFTWARE hive, which stands behind that
// of its SYSTEM hive.
func (j *job) besides() *result {
	r := &result{Hive: j.in.ConfigLabel(hive.SoftwareFile), label: j.in.Label, of: j.main}
	j.main.other = r
	return r
}

// planUpdates plans the fix updates.
func (j *job) planUpdates() error {
	r := j.besides()
	if err := j.planSoftware(r); err != nil {
		return ofHive{r, err}
	}
	return nil
}

func (j *job) planSoftware(r *result) error {
	done := j.busy(stageInspect, r.Hive)
	files, h, err := j.read(j.in, hive.SoftwareFile, r)
	done()
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", errNoSoftware, err)
	}
	if err != nil {
		return err
	}
	au, err := h.AutoUpdate()
	if err != nil {
		return err
	}
	j.tellUpdates(r, au)
	plan, err := h.PlanUpdates()
	if err != nil {
		return err
	}
	w := &writer{job: j, r: r, files: files, id: h.Identify()}
	w.id.Computer = j.system.Identify().Computer
	return w.plan(h, plan)
}

// tellUpdates says how Windows Update is set, as far as that matters for the fix.
func (j *job) tellUpdates(r *result, au hive.AutoUpdate) {
	r.AutoUpdate = &autoUpdateResult{au.Options, au.PolicyOptions, au.PolicyNoAutoUpdate}
	j.stage(stageInspect, "autoupdate", r.Hive, numeral(j.env, au.Options))
	if au.NeverLooks() {
		j.note("neverlooks", r.Hive)
	}
	if au.Overruled() {
		j.note("overruled", r.Hive, numeral(j.env, au.PolicyOptions), numeral(j.env, au.PolicyNoAutoUpdate))
	}
}

// numeral spells a number, or that there is none.
func numeral(e *env, n *uint32) string {
	if n == nil {
		return e.text("absent")
	}
	return fmt.Sprint(*n)
}

// undoUpdates takes the fix updates back, where a backup says that it was made. Without
// one nobody asked for the SOFTWARE hive, and it is not even read.
func (j *job) undoUpdates(backups []*hive.Backup, o undoOptions) error {
	found, surely := hive.Candidates(backups, hive.SoftwareFile, j.manifestTarget(j.src, j.in, ""))
	if len(found) == 0 {
		return nil
	}
	r := j.besides()
	chosen, err := j.takeBack(r, hive.SoftwareFile, backups, nil, o)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, hive.ErrNoBackup), !chosen && !surely && !errors.Is(err, hive.ErrSeveralBackups):
		j.main.other = nil // those backups are of others
		return nil
	}
	return ofHive{r, err}
}
