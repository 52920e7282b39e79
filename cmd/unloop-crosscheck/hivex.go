//go:build cgo

package main

// The only use of go-hivex, and of cgo. Of the binding itself only NewHivex, Root and Close can be trusted, and those
// with the care taken below; everything else it offers is wrong in one of these ways, so the calls are made here:
//
//  1. It takes errno for the result: a call that succeeded but left errno set (iconv does, on any name outside ASCII) is
//     reported as failed. Here the returned value decides, and errno only words the error.
//  2. It hands out 0 for a child or value that is missing, or whose lookup failed, and both with the same leftover error.
//     Here lookups go over the lists, where missing and failed cannot be confused.
//  3. It frees nothing that libhivex allocates: names, lists, data. Over one hive of 16 MB that leaks all of it.
//  4. It copies lists of size_t into []int64 with one memcpy: on 32-bit two handles become one.
//  5. It passes libhivex pointers into Go memory that nothing keeps alive (NodeSetValues), and panics on empty data.
//  6. It cuts names with a length from a second call, whose failure is 0 too: a name would silently become "".
//  7. It commits over the file it has open, with O_TRUNC: a failure leaves neither the old nor the new hive.
//  8. It does not say that a hive is dirty, nor does libhivex: see checkClean.

/*
#cgo LDFLAGS: -lhivex
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <hivex.h>

// Every function here returns err = 0, or an error number if and only if libhivex' returned value says so (1).
static int failed(void) { return errno != 0 ? errno : EIO; }

struct nodes { hive_node_h *p; size_t n; int err; };

static struct nodes node_children(hive_h *h, hive_node_h node) {
	struct nodes r = { 0 };
	errno = 0;
	r.p = hivex_node_children(h, node);
	if (r.p == NULL)
		r.err = failed();
	else
		while (r.p[r.n] != 0)
			r.n++;
	return r;
}

static struct nodes node_values(hive_h *h, hive_node_h node) {
	struct nodes r = { 0 };
	errno = 0;
	r.p = hivex_node_values(h, node);
	if (r.p == NULL)
		r.err = failed();
	else
		while (r.p[r.n] != 0)
			r.n++;
	return r;
}

struct text { char *p; size_t n; int err; };

// A name may hold NUL, so its length is asked for; that it is the length of this very name is checked (6).
static struct text checked(char *name, size_t n) {
	struct text r = { name, n, 0 };
	if (strlen(name) > n) {
		r.err = failed();
		free(name);
	}
	return r;
}

static struct text node_name(hive_h *h, hive_node_h node) {
	struct text r = { 0 };
	errno = 0;
	r.p = hivex_node_name(h, node);
	if (r.p == NULL) {
		r.err = failed();
		return r;
	}
	errno = 0;
	return checked(r.p, hivex_node_name_len(h, node));
}

struct val { struct text name; hive_type t; char *data; size_t n; int err; };

static struct val value_value(hive_h *h, hive_value_h value) {
	struct val r = { 0 };
	errno = 0;
	char *name = hivex_value_key(h, value);
	if (name == NULL) {
		r.err = failed();
		return r;
	}
	errno = 0;
	r.name = checked(name, hivex_value_key_len(h, value));
	if (r.name.err != 0) {
		r.err = r.name.err;
		return r;
	}
	errno = 0;
	r.data = hivex_value_value(h, value, &r.t, &r.n);
	if (r.data == NULL) {
		r.err = failed();
		free(name);
	}
	return r;
}

static void free_value(struct val v) {
	free(v.name.p);
	free(v.data);
}

struct added { hive_node_h node; int err; };

static struct added add_child(hive_h *h, hive_node_h parent, const char *name) {
	struct added r = { 0 };
	errno = 0;
	r.node = hivex_node_add_child(h, parent, name);
	if (r.node == 0)
		r.err = failed();
	return r;
}

static int delete_child(hive_h *h, hive_node_h node) {
	errno = 0;
	return hivex_node_delete_child(h, node) == 0 ? 0 : failed();
}

static int set_values(hive_h *h, hive_node_h node, size_t n, const hive_set_value *values) {
	errno = 0;
	return hivex_node_set_values(h, node, n, values, 0) == 0 ? 0 : failed();
}

static void default_signals(void) {
	const int fatal[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV };
	for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
		signal(fatal[i], SIG_DFL);
}

static int commit(hive_h *h) {
	errno = 0;
	return hivex_commit(h, NULL, 0) == 0 ? 0 : failed();
}
*/
import "C"

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"strings"
	"syscall"
	"unsafe"

	hivex "github.com/gabriel-samfira/go-hivex"
)

// crashBySignal lets a crash of libhivex end the process by its signal. Go's own handlers would turn it into a page of
// stack traces and exit code 2, which here means wrong usage.
func crashBySignal() { C.default_signals() }

// hive is one hive opened by libhivex. Not for concurrent use.
type hive struct {
	binding *hivex.Hivex
	handle  *C.hive_h
}

// openHive opens the hive at path; write is for build alone.
func openHive(path string, write bool) (*hive, error) {
	flags := hivex.READ
	if write {
		flags = hivex.WRITE
	}
	binding, err := hivex.NewHivex(path, flags)
	if err != nil {
		// Perhaps opened and only called failed (1); then the handle is lost, and refusing is the safe side.
		return nil, fmt.Errorf("opening %s with libhivex: %w", path, err)
	}
	// The field is not exported, and the binding has no accessor.
	handle := (*C.hive_h)(reflect.ValueOf(binding).Elem().FieldByName("han").UnsafePointer())
	if handle == nil {
		// The other half of (1): failed without errno, and returned as if opened.
		return nil, fmt.Errorf("opening %s with libhivex: no handle", path)
	}
	return &hive{binding: binding, handle: handle}, nil
}

// close gives the handle back. What Close returns is errno again (1), and nothing is written at this point.
func (h *hive) close() { _ = h.binding.Close() }

// root gives the handle of the root key, once its name could be read: only there does libhivex see whether the cell
// is large enough for a key. Asked for its values first, it reads past a smaller one, even past the end of the file,
// and finds whatever lies there.
func (h *hive) root() (node, error) {
	root, err := h.binding.Root()
	if root == 0 { // 0 is "no root"; err alone may be a leftover (1)
		return 0, fmt.Errorf("reading the root key: %w", errors.Join(err, syscall.ENOENT))
	}
	if _, err := h.name(node(root)); err != nil {
		return 0, fmt.Errorf("reading the root key: %w", err)
	}
	return node(root), nil
}

// children lists the subkeys in stored order.
func (h *hive) children(n node) ([]node, error) {
	list := C.node_children(h.handle, C.hive_node_h(n))
	if list.err != 0 {
		return nil, syscall.Errno(list.err)
	}
	defer C.free(unsafe.Pointer(list.p))
	kids := make([]node, list.n)
	for i, kid := range unsafe.Slice(list.p, list.n) { // handle by handle, each of the C type's own width (4)
		kids[i] = node(kid)
	}
	return kids, nil
}

// name gives a key's name in UTF-8.
func (h *hive) name(n node) (string, error) {
	text := C.node_name(h.handle, C.hive_node_h(n))
	if text.err != 0 {
		return "", syscall.Errno(text.err)
	}
	defer C.free(unsafe.Pointer(text.p))
	return string(bytesAt(text.p, text.n)), nil
}

// values copies the values of a key, in stored order.
func (h *hive) values(n node) ([]value, error) {
	var vals []value
	err := h.eachValue(n, func(name []byte, typ uint32, data []byte) {
		vals = append(vals, value{string(name), typ, append([]byte{}, data...)})
	})
	if err != nil {
		return nil, err
	}
	return vals, nil
}

// eachValue calls f for each value of a key, in stored order. Name and data are libhivex' memory, gone after f.
func (h *hive) eachValue(n node, f func(name []byte, typ uint32, data []byte)) error {
	list := C.node_values(h.handle, C.hive_node_h(n))
	if list.err != 0 {
		return syscall.Errno(list.err)
	}
	defer C.free(unsafe.Pointer(list.p))
	for i, handle := range unsafe.Slice(list.p, list.n) {
		v := C.value_value(h.handle, handle)
		if v.err != 0 {
			return fmt.Errorf("value %d: %w", i, syscall.Errno(v.err))
		}
		f(bytesAt(v.name.p, v.name.n), uint32(v.t), bytesAt(v.data, v.n))
		C.free_value(v)
	}
	return nil
}

// bytesAt is a view of C memory, never longer than the memory is.
func bytesAt(p *C.char, n C.size_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), n)
}

// addChild makes a subkey and returns its handle.
func (h *hive) addChild(parent node, name string) (node, error) {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	added := C.add_child(h.handle, C.hive_node_h(parent), cname)
	if added.err != 0 {
		return 0, syscall.Errno(added.err)
	}
	return node(added.node), nil
}

// deleteChild removes a key and all below it.
func (h *hive) deleteChild(n node) error {
	return errnoOrNil(C.delete_child(h.handle, C.hive_node_h(n)))
}

// setValues gives a key exactly these values.
func (h *hive) setValues(n node, vals []value) error {
	// All of it in C memory: libhivex follows the pointers, and Go's collector does not look into C (5).
	list := (*C.hive_set_value)(C.calloc(C.size_t(len(vals)+1), C.size_t(unsafe.Sizeof(C.hive_set_value{}))))
	defer C.free(unsafe.Pointer(list))
	for i, v := range vals {
		key, data := C.CString(v.name), C.CBytes(v.data)
		defer C.free(unsafe.Pointer(key))
		defer C.free(data)
		unsafe.Slice(list, len(vals))[i] = C.hive_set_value{
			key: key, t: C.hive_type(v.typ), len: C.size_t(len(v.data)), value: (*C.char)(data),
		}
	}
	return errnoOrNil(C.set_values(h.handle, C.hive_node_h(n), C.size_t(len(vals)), list))
}

// commit writes over the file that was opened, so that must be a copy of the caller's own (7).
func (h *hive) commit() error { return errnoOrNil(C.commit(h.handle)) }

func errnoOrNil(err C.int) error {
	if err != 0 {
		return syscall.Errno(err)
	}
	return nil
}

// judgeName names library file and binding, for reports. libhivex itself cannot tell its version.
func judgeName() string {
	name := "libhivex"
	if f, err := os.Open("/proc/self/maps"); err == nil {
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if i := strings.IndexByte(lines.Text(), '/'); i >= 0 && strings.Contains(filepath.Base(lines.Text()[i:]), "libhivex") {
				name = "libhivex (" + lines.Text()[i:] + ")"
				break
			}
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if strings.HasSuffix(dep.Path, "/go-hivex") {
				name += " through go-hivex " + dep.Version
			}
		}
	}
	return name
}
