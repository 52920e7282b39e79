package regf_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"
	"testing"

	"unloop/hive/regf"
)

// craftedHives says what Check must find in each hive of crafted.tar.xz; its own
// README says which of them Windows loads.
var craftedHives = map[string]struct{ structure, problem string }{
	"bins_checksum_collision": {},
	"cluster_8":               {},
	"csum_zero_case":          {},
	"garbage_slack":           {},
	"ok_baseline":             {},
	"size_not_4k":             {},
	"start_as_sz":             {},
	"vk_name_nul":             {},
	"vk_name_utf16_ascii":     {},
	"zero_len_inline":         {},

	"bad_csum":         {"dirty", "checksum is 0xfa3879bf, computed 0xfa3879be"},
	"seq_dirty":        {"dirty", "sequence numbers differ: 258 and 257"},
	"cell_crosses_bin": {"cell", "size 0x2000 is not possible in the bin at 0x4000"},
	"cell_zero":        {"cell", "size 0x0 is not possible"},
	"data_free_cell":   {"value data", "no allocated cell begins there"},
	"data_is_nk":       {"value data", "referred to twice"},
	"data_is_vallist":  {"value data", "referred to twice"},
	"data_too_long":    {"key value", "9000 bytes of data, its key says that none has more than 86"},
	// Of the next four Windows minds the key's largest data first, as we do: one of
	// them has no other flaw.
	"db_list_at_eof":   {"key value", "7000000 bytes of data, its key says that none has more than 86"},
	"db_nseg_1":        {"key value", "20000 bytes of data, its key says that none has more than 86"},
	"db_nseg_65535":    {"key value", "7000000 bytes of data, its key says that none has more than 86"},
	"db_ok_20000":      {"key value", "20000 bytes of data, its key says that none has more than 86"},
	"dup_key_name":     {"key node", `"hardlock" stands after "haspnt"`},
	"dup_vk_in_list":   {"key value", "referred to twice"},
	"hbins_beyond_eof": {"hive file", "cut short: the hive bins end at 0x8000"},
	"hbins_huge":       {"base block", "beyond what cell offsets can address"},
	"hbins_unaligned":  {"base block", "not a multiple of 4096"},
	"inline_len5":      {"key value", "5 bytes of data where only 4 fit"},
	"major_2":          {"base block", "format version 2.5"},
	"nk_tiny_at_eof":   {"key node", "not a key node"},
	"nsub_mismatch":    {"subkey list", "3 entries, the key says 4"},
	"ri_self":          {"subkey list", "referred to twice"},
	"root_tiny_at_eof": {"key node", "not a key node"},
	"shared_data_cell": {"value data", "referred to twice"},
	"subkey_cycle":     {"subkey list", "referred to twice"},
	"trunc_bin":        {"hive file", "cut short: the hive bins end at 0x4000"},
	"trunc_hdr_only":   {"hive file", "cut short: the hive bins end at 0x4000"},
	"vallist_nil":      {"value list", "there is none"},
	"vallist_short":    {"value list", "200 values do not fit its cell"},
	"vk_bad_sig":       {"key value", "not a key value"},
	"vk_name_long":     {"key value", "name of 65520 bytes does not fit its cell"},
	"vk_tiny_at_eof":   {"key value", "not a key value"},
	"zero_len_zero":    {"value data", "no allocated cell begins there"},
}

// crafted returns the files of crafted.tar.xz by name.
func crafted(tb testing.TB) map[string][]byte {
	tb.Helper()
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(unpack(tb, "crafted.tar.xz"))); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			tb.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if files[path.Base(h.Name)], err = io.ReadAll(r); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

// verdicts reads the table in the README of crafted.tar.xz: name to "sound" or "broken".
func verdicts(readme string) map[string]string {
	says := map[string]string{}
	for line := range strings.Lines(readme) {
		if f := strings.Split(line, "|"); len(f) == 5 {
			if v := strings.TrimSpace(f[2]); v == "sound" || v == "broken" {
				says[strings.TrimSpace(f[1])] = v
			}
		}
	}
	return says
}

// TestCrafted: Check says what Windows says, and names the defect.
func TestCrafted(t *testing.T) {
	files := crafted(t)
	says := verdicts(string(files["README.md"]))
	delete(files, "README.md")
	if len(files) != len(says) || len(files) != len(craftedHives) {
		t.Fatalf("%d hives, %d in the README, %d in this test", len(files), len(says), len(craftedHives))
	}
	for name, b := range files {
		want, ok := craftedHives[name]
		if !ok {
			t.Errorf("%s is not in this test", name)
			continue
		}
		before := bytes.Clone(b)
		_, err := checked(b)
		if !bytes.Equal(b, before) {
			t.Errorf("%s: Check changed it", name)
		}
		switch {
		case says[name] == "sound":
			if err != nil || want.structure != "" {
				t.Errorf("%s: Check = %v, want none", name, err)
			}
		case want.structure == "dirty":
			if !errors.Is(err, regf.ErrDirty) || !strings.Contains(err.Error(), want.problem) {
				t.Errorf("%s: Parse = %v, want ErrDirty: %s", name, err, want.problem)
			}
		default:
			wantDefect(t, name, err, want.structure, want.problem)
		}
	}
}

// TestRealHives checks what Windows itself left behind.
func TestRealHives(t *testing.T) {
	for _, name := range []string{"win7-x86-SYSTEM.xz", "win7-x86-hasp-SYSTEM.xz", "xp-sp3-SYSTEM.xz", "win10-SYSTEM.xz"} {
		h, err := regf.Parse(unpack(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if warnings, err := h.Check(); err != nil || len(warnings) > 0 {
			t.Errorf("%s: Check = %q, %v, want none", name, warnings, err)
		}
		if _, err := readTree(h); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	sound(t, plain(t, "old-dirty/RecoveredHive_Windows7"))

	_, err := checked(unpack(t, "corrupted_system_hive.xz"))
	if fe := wantDefect(t, "corrupted_system_hive", err, "hive bin", "does not begin"); fe != nil && fe.Offset != 0x1A000 {
		t.Errorf("corrupted_system_hive: %v, want offset 0x1a000", err)
	}
	_, err = regf.Parse(plain(t, "old-dirty/OldDirtyHive"))
	if !errors.Is(err, regf.ErrDirty) || !strings.Contains(err.Error(), "5 and 4") {
		t.Errorf("OldDirtyHive: %v, want ErrDirty, 5 and 4", err)
	}
}
