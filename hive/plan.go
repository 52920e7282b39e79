package hive

import (
	"bytes"
	"fmt"
	"slices"

	"unloop/hive/regf"
)

// Plan is what a repair or an undo will change, bound to the files it was made from.
type Plan struct {
	Edits []Edit
	of    *Hive
}

// ID returns the digests of the files the plan was made from.
func (p *Plan) ID() Identity { return p.of.ID() }

// Same says whether the plan has just these edits, in whatever order.
func (p *Plan) Same(edits []Edit) bool {
	return len(p.Edits) == len(edits) && !slices.ContainsFunc(p.Edits, func(e Edit) bool {
		return !slices.ContainsFunc(edits, func(d Edit) bool { return d.String() == e.String() && d.New.equal(e.New) })
	})
}

// Plan turns findings into edits, by the chosen fixes. A plan without edits means
// that there is nothing to do. Errors: ErrUnexpected, ErrNoKey.
func (h *Hive) Plan(f *Findings, fixes []Fix) (*Plan, error) {
	p := &Plan{of: h}
	for _, fix := range fixes {
		var edits []Edit
		var err error
		switch fix {
		case FixOverride:
			edits, err = overrideEdits(f)
		case FixDrivers:
			edits, err = h.driverEdits(f)
		default:
			err = fmt.Errorf("planning: no fix is called %q", fix)
		}
		if err != nil {
			return nil, err
		}
		p.Edits = append(p.Edits, edits...)
	}
	return p, nil
}

// Change is a plan carried out in memory: checked, compared, ready to be written.
type Change struct {
	Old, New *Hive
	Diff     *Diff
	Edits    []Edit
	groups   [][]regf.Patch // how Old becomes New without a log …
	backward bool           // … or New becomes Old, by what retrace then finds
	retrace  func() ([][]regf.Patch, error)
	log1     []byte // what LOG1 is to hold afterwards; nil: what the update leaves
}

// Prepare carries p out on a copy of h in memory and proves the result: the new
// hive is sound, and it differs from the old one in what was planned and in
// nothing else. mayGrow says whether the hive's file may become longer. Check and
// comparison run side by side: they are most of a dry run's time, and both only read.
func (h *Hive) Prepare(p *Plan, mayGrow bool) (*Change, error) {
	if p.of != h && p.ID() != h.ID() {
		return nil, ErrStale
	}
	if err := h.fits(mayGrow); err != nil {
		return nil, err
	}
	ed, err := h.reg.Edit(mayGrow)
	if err != nil {
		return nil, fmt.Errorf("editing hive: %w", err)
	}
	for _, e := range p.Edits {
		if err := e.apply(h, ed); err != nil {
			return nil, err
		}
	}
	reg, err := ed.Finish()
	if err != nil {
		return nil, fmt.Errorf("editing hive: %w", err)
	}
	c := &Change{Old: h, Edits: p.Edits, groups: ed.Groups()}
	checked := make(chan error, 1)
	go func() {
		_, err := reg.Check()
		checked <- err
	}()
	c.New, err = unchecked(reg)
	if err == nil {
		c.Diff, err = Compare(h, c.New, false)
	}
	if cerr := <-checked; cerr != nil {
		return nil, fmt.Errorf("%w: %w", ErrMismatch, cerr)
	}
	if err != nil {
		return nil, err
	}
	return c, c.Diff.check(p.Edits)
}

// fits says whether a replay fits the file: a hive that Windows was just making
// longer may be longer in its log than on the medium.
func (h *Hive) fits(mayGrow bool) error {
	if h.Size() > int64(len(h.Files.Primary)) && !mayGrow {
		return fmt.Errorf("replaying %s: %w", h.Replay.Log, ErrMustGrow)
	}
	return nil
}

// Finish is the change of a hive that needs no edit: at most its log is replayed.
func (h *Hive) Finish(mayGrow bool) (*Change, error) {
	return &Change{Old: h, New: h, Diff: &Diff{}}, h.fits(mayGrow)
}

// Nothing says whether there is nothing to write at all.
func (c *Change) Nothing() bool {
	return c.Old.Replay == nil && c.Old.Sum() == c.New.Sum() && (c.log1 == nil || bytes.Equal(c.log1, c.Old.Files.Log1))
}
