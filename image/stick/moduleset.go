package stick

import (
	"slices"
	"strings"
)

// Which modules go on the stick: all that may stand between the CPU and a disk
// with Windows, the stick, or the keyboard. Left out is what needs firmware or a
// network, and PC cards.

// wideFolders are taken whole, except for what leftOut says.
func wideFolders() []string {
	return []string{
		"kernel/drivers/ata/",
		"kernel/drivers/message/fusion/",
		"kernel/drivers/misc/cardreader/",
		"kernel/drivers/mmc/",
		"kernel/drivers/scsi/",
		"kernel/drivers/ufs/",
		"kernel/drivers/usb/host/",
		"kernel/drivers/usb/storage/",
		"kernel/drivers/virtio/",
	}
}

// leftOut are beginnings of paths in these folders that are not taken.
func leftOut() []string {
	return []string{
		"kernel/drivers/ata/pata_legacy.ko", // feels for ISA ports and can hang a PC
		"kernel/drivers/ata/pata_pcmcia.ko",
		"kernel/drivers/message/fusion/mptctl.ko", // for the maker's own tools
		"kernel/drivers/message/fusion/mptfc.ko",  // fibre channel
		"kernel/drivers/message/fusion/mptlan.ko",
		"kernel/drivers/mmc/host/sdricoh_cs.ko",
		"kernel/drivers/scsi/aic94xx/", // firmware
		"kernel/drivers/scsi/be2iscsi/", "kernel/drivers/scsi/bnx2i/", "kernel/drivers/scsi/cxgbi/",
		"kernel/drivers/scsi/qedi/", "kernel/drivers/scsi/qla4xxx/", "kernel/drivers/scsi/iscsi",
		"kernel/drivers/scsi/libiscsi", "kernel/drivers/scsi/scsi_transport_iscsi.ko", // disks on a network
		"kernel/drivers/scsi/bfa/", "kernel/drivers/scsi/bnx2fc/", "kernel/drivers/scsi/csiostor/", "kernel/drivers/scsi/fcoe/",
		"kernel/drivers/scsi/fnic/", "kernel/drivers/scsi/libfc/", "kernel/drivers/scsi/lpfc/", "kernel/drivers/scsi/qedf/",
		"kernel/drivers/scsi/qla2xxx/", "kernel/drivers/scsi/snic/", "kernel/drivers/scsi/elx/", // fibre channel
		"kernel/drivers/scsi/ch.ko", "kernel/drivers/scsi/osst.ko", "kernel/drivers/scsi/ses.ko", "kernel/drivers/scsi/sg.ko",
		"kernel/drivers/scsi/sr_mod.ko", "kernel/drivers/scsi/st.ko", // changers, tapes, compact discs
		"kernel/drivers/scsi/device_handler/",
		"kernel/drivers/scsi/pcmcia/",
		"kernel/drivers/scsi/scsi_debug.ko",
		"kernel/drivers/usb/host/sl811_cs.ko",
		"kernel/drivers/usb/host/u132-hcd.ko",
	}
}

// wideModules are taken too, where the kernel has them.
func wideModules() []string {
	return []string{
		"vmd", "xen_blkfront", "xen_scsifront",
		"hyperv_keyboard", "hid_hyperv", "hid_a4tech", "hid_apple", "hid_belkin", "hid_cherry", "hid_chicony",
		"hid_cypress", "hid_ezkey", "hid_gyration", "hid_holtek_kbd", "hid_ite", "hid_kensington", "hid_lenovo",
		"hid_logitech", "hid_logitech_dj", "hid_logitech_hidpp", "hid_microsoft", "hid_monterey", "hid_ortek",
		"hid_samsung", "hid_semitek", "hid_sunplus", "hid_topseed", "hid_zydacron",
		"nls_cp932",
		"crc32c_generic", "crct10dif_generic", // asked for by another name than theirs
	}
}

// mustModules are taken, and have to be there or built into the kernel.
func mustModules() []string {
	return []string{
		"ahci", "ata_piix", "ata_generic", "pata_amd", "pata_via", "sata_nv", "nvme",
		"megaraid", "megaraid_mbox", "megaraid_sas", "mpt3sas", "mptsas", "mptspi", "aacraid", "hpsa", "arcmsr",
		"sd_mod", "uas", "usb_storage", "ehci_pci", "ohci_pci", "uhci_hcd", "xhci_pci",
		"mmc_block", "sdhci_acpi", "sdhci_pci", "rtsx_pci", "rtsx_pci_sdmmc", "rtsx_usb", "rtsx_usb_sdmmc",
		"virtio_blk", "virtio_mmio", "virtio_pci", "virtio_scsi", "hv_storvsc", "vmw_pvscsi",
		"atkbd", "i8042", "hid_generic", "usbhid",
		"vfat", "nls_ascii", "nls_cp437", "nls_iso8859_1", "nls_utf8", "fuse", "loop",
		"edd", "efivarfs", "pcspkr",
	}
}

// wide says whether a module is chosen for its own sake.
func wide(name, path string) bool {
	for _, prefix := range leftOut() {
		if strings.HasPrefix(path, prefix) {
			return false
		}
	}
	for _, prefix := range wideFolders() {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return slices.Contains(wideModules(), name) || slices.Contains(mustModules(), name)
}
