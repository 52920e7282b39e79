//go:build !cgo

package main

import "errors"

// Without cgo there is no libhivex, so every question ends in "cannot judge", exit code 3. The package still builds,
// so that "go build ./..." means the same everywhere.
var errNoLibhivex = errors.New("built without cgo, so without libhivex")

func crashBySignal() {}

type hive struct{}

func openHive(string, bool) (*hive, error) { return nil, errNoLibhivex }

func judgeName() string { return "none" }

func (*hive) close()                                                           {}
func (*hive) root() (node, error)                                              { return 0, errNoLibhivex }
func (*hive) children(node) ([]node, error)                                    { return nil, errNoLibhivex }
func (*hive) name(node) (string, error)                                        { return "", errNoLibhivex }
func (*hive) values(node) ([]value, error)                                     { return nil, errNoLibhivex }
func (*hive) eachValue(node, func(name []byte, typ uint32, data []byte)) error { return errNoLibhivex }
func (*hive) addChild(node, string) (node, error)                              { return 0, errNoLibhivex }
func (*hive) deleteChild(node) error                                           { return errNoLibhivex }
func (*hive) setValues(node, []value) error                                    { return errNoLibhivex }
func (*hive) commit() error                                                    { return errNoLibhivex }
