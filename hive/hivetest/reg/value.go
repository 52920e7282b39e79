package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"unloop/hive"
	"unloop/hive/regf"
)

// minint is the key by which programs recognise WinPE.
const minint = `HKLM\SYSTEM\CurrentControlSet\Control\MiniNT`

func (b book) query(key string, o options, out io.Writer) error {
	if strings.EqualFold(key, minint) && os.Getenv("UNLOOP_REG_PE") != "" {
		return nil
	}
	if name, _, ok := split(key); ok && name == "" {
		return b.list(out)
	}
	h, path, _, err := b.open(key)
	if err != nil {
		return err
	}
	root, err := h.Root()
	if err != nil {
		return err
	}
	k, ok, err := root.Find(path...)
	if err == nil && !ok {
		err = errKey
	}
	if err != nil {
		return err
	}
	n, err := printKey(k, strings.Replace(key, "HKLM", "HKEY_LOCAL_MACHINE", 1), o, out)
	if err == nil && n == 0 && o.hasValue {
		err = errKey
	}
	return err
}

func (b book) list(out io.Writer) error {
	all, err := b.read()
	for _, m := range all {
		fmt.Fprintf(out, "\r\nHKEY_LOCAL_MACHINE\\%s", m.Name)
	}
	fmt.Fprint(out, "\r\n")
	return err
}

// printKey prints a key's values, or one of them, there or in any key below it, and
// counts them.
func printKey(k regf.Key, path string, o options, out io.Writer) (n int, err error) {
	values, err := k.Values()
	if err != nil {
		return 0, err
	}
	for _, v := range values {
		if o.hasValue && !regf.EqualNames(v.Name(), o.value) {
			continue
		}
		data, err := v.Data()
		if err != nil {
			return n, err
		}
		if n++; n == 1 {
			fmt.Fprintf(out, "\r\n%s\r\n", path)
		}
		fmt.Fprintf(out, "    %s    %s    %s\r\n", v.Name(), hive.ValueType(v.Type()), spell(v.Type(), data))
	}
	subs, err := k.Subkeys()
	if err != nil || !o.below {
		return n, err
	}
	for _, sub := range subs {
		more, err := printKey(sub, path+`\`+sub.Name(), o, out)
		if n += more; err != nil {
			return n, err
		}
	}
	return n, nil
}

func spell(typ uint32, data []byte) string {
	switch hive.ValueType(typ) {
	case hive.RegDWORD:
		if len(data) == 4 {
			return fmt.Sprintf("0x%x", binary.LittleEndian.Uint32(data))
		}
	case hive.RegSZ, hive.RegExpandSZ:
		return hive.DecodeSZ(data)
	case hive.RegMultiSZ:
		return strings.Join(hive.DecodeMultiSZ(data), `\0`)
	}
	return fmt.Sprintf("%X", data)
}

func (b book) change(verb, key string, o options) error {
	h, path, file, err := b.open(key)
	if err != nil || !o.hasValue {
		return errOr(err, errUsage)
	}
	ed, err := h.Edit(true)
	if err != nil {
		return err
	}
	if verb == "delete" {
		err = ed.DeleteValue(path, o.value)
	} else {
		var typ hive.ValueType
		var data []byte
		if typ, data, err = parseData(o.typ, o.data); err == nil {
			err = ed.SetValue(path, o.value, uint32(typ), data)
		}
	}
	if err != nil {
		return err
	}
	done, err := ed.Finish()
	if err != nil {
		return err
	}
	return os.WriteFile(file, done.Bytes(), 0o644)
}

func errOr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func parseData(typ, data string) (hive.ValueType, []byte, error) {
	switch typ {
	case "REG_DWORD":
		n, err := strconv.ParseUint(data, 0, 32)
		return hive.RegDWORD, binary.LittleEndian.AppendUint32(nil, uint32(n)), err
	case "REG_SZ":
		return hive.RegSZ, hive.EncodeSZ(data), nil
	case "REG_MULTI_SZ":
		return hive.RegMultiSZ, hive.EncodeMultiSZ(strings.Split(data, `\0`)), nil
	}
	return 0, nil, errUsage
}
