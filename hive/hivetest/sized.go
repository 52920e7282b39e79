package hivetest

import (
	"errors"
	"fmt"
	"strings"
)

// devicesKey is where both control sets of a sized hive keep their devices.
const devicesKey = `Enum\PCI`

// instances are how many of each kind of device there are.
const instances = 8

// Win7Sized builds the hive of Win7, made as large as size, a multiple of 4,096, by
// devices that were plugged in over the years. As in the hives of real PCs there are
// about three values to a key, and a key with all that hangs on it takes some 500 bytes.
// The same size gives the same bytes.
func Win7Sized(size int) ([]byte, error) {
	const probe = 200
	small, err1 := withDevices(0)
	more, err2 := withDevices(probe)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	for n := (size - len(small)) * probe / (len(more) - len(small)); n >= 0; {
		data, err := withDevices(n)
		if err != nil {
			return nil, err
		}
		slack := size - len(data)
		if slack >= 0 {
			return append(data, make([]byte, slack)...), nil // what Windows keeps behind the last bin
		}
		n += n*slack/len(data) - 1 - n/1000 // the lists of many devices are longer
	}
	return nil, fmt.Errorf("building hive: %d bytes are less than the smallest one has", size)
}

// withDevices builds the hive of Win7 with n devices.
func withDevices(n int) ([]byte, error) {
	var extra strings.Builder
	for i := range n {
		writeDevice(&extra, fmt.Sprintf("ControlSet%03d", 1+i%2), i/2)
	}
	return Build(Win7(extra.String()), Options{Fill: 65536})
}

// writeDevice writes the keys of device number i as .reg text.
func writeDevice(b *strings.Builder, set string, i int) {
	kind := i / instances
	hardware := fmt.Sprintf("VEN_%04X&DEV_%04X&SUBSYS_%08X", 0x1000+kind/256, 0x0100+kind%256, uint32(kind)*2654435761)
	key := fmt.Sprintf(`%s\%s\%s\3&%08x&0&%02X`, set, devicesKey, hardware, uint32(i)*40503, i%instances)
	fmt.Fprintf(b, "\n[%s]\n", key)
	fmt.Fprintf(b, "\"DeviceDesc\"=\"Controller of kind %d, number %d\"\n", kind, i%instances)
	fmt.Fprintf(b, "\"LocationInformation\"=\"@system32\\\\drivers\\\\pci.sys,#65536;PCI bus %%1, device %%2, function %%3;(%d,%d,0)\"\n", i%8, i%32)
	fmt.Fprintf(b, "\"HardwareID\"=%s\n", multiSZ(`PCI\`+hardware+`,PCI\`+hardware[:17]))
	fmt.Fprintf(b, "\"CompatibleIDs\"=%s\n", multiSZ(`PCI\`+hardware[:17]+`&REV_00,PCI\`+hardware[:8]))
	b.WriteString("\"ClassGUID\"=\"{4D36E97D-E325-11CE-BFC1-08002BE10318}\"\n")
	fmt.Fprintf(b, "\"Driver\"=\"{4D36E97D-E325-11CE-BFC1-08002BE10318}\\\\%04d\"\n", i%10000)
	fmt.Fprintf(b, "\"ConfigFlags\"=dword:%08x\n\"Capabilities\"=dword:%08x\n", i%4, i%16)
	fmt.Fprintf(b, "\n[%s\\Device Parameters]\n\"ResourcePickerTags\"=dword:%08x\n", key, i)
	fmt.Fprintf(b, "\n[%s\\LogConf]\n\"BootConfig\"=hex(8):%s00\n", key, strings.Repeat("01,00,00,00,", 15))
}
