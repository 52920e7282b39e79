package main

// messagesEvidenceEN is what an account of an installation says, in English.
var messagesEvidenceEN = map[string]string{
	"acc.line":         "%s",
	"lookalikes":       "other things that may make this PC restart or stop: %d; unloop scan names them",
	"stick.lookalikes": "Other things that may make this PC restart or stop: %d. D names them.",

	"head.windows":    "which Windows",
	"head.for":        "evidence for the fault",
	"head.against":    "evidence against it",
	"head.context":    "worth knowing",
	"head.lookalikes": "what else may make this PC restart or stop; no cure is promised for it",
	"head.updates":    "further updates of March 2018 or later",
	"head.autoupdate": "Windows Update",
	"head.registry":   "the values that a repair changes",
	"head.safety":     "is it safe to write",

	"win.product":    "%s, build %s, %s, PC name %s",
	"win.cpu":        "CPU %s",
	"win.pae":        "PAE %s, NX %s (by registry and boot entry)",
	"win.on":         "on",
	"win.off":        "off",
	"win.kernels":    "kernels: %s",
	"win.lastboot":   "last start, probably: %s (bootstat.dat)",
	"win.lastupdate": "last update: %s",

	"update.line": "%s: %s, %s",
	"update.more": "and %d older ones",

	"au.setting":   "setting: AUOptions %d, %s",
	"au.policy":    "policy, which wins over the setting: AUOptions %d, %s",
	"au.off":       "policy: NoAutoUpdate %d, automatic updates are off",
	"au.noteoff":   "policy: NoAutoUpdate %d, automatic updates are not switched off",
	"au.never":     "never looks for updates",
	"au.ask":       "looks for updates and lets the user choose what to download and install",
	"au.download":  "downloads updates and asks before it installs them",
	"au.automatic": "downloads and installs updates by itself",
	"au.local":     "the administrator of the PC chooses",
	"au.other":     "a number without a known meaning",

	"safe.awake":           "Windows is not hibernated",
	"safe.hiberempty":      "hiberfil.sys: %s; Windows is not hibernated",
	"safe.sleeping":        "hiberfil.sys: %s; Windows is hibernated",
	"safe.woken":           "hiberfil.sys: %s, left from waking up; Windows is not hibernated",
	"safe.hiberother":      "hiberfil.sys: %s; as far as that can be understood, Windows is not hibernated",
	"safe.hiberunreadable": "hiberfil.sys: %s; Windows may be hibernated",
	"safe.journalclean":    "the volume's journal is not in use",
	"safe.journal":         "the volume's journal is in use, as after a reset; Windows will replay it, unloop leaves it alone",
	"safe.dirtyflag":       "the volume's dirty flag is set: Windows will check it with chkdsk",
	"safe.clean":           "the hive is clean",
	"safe.nofilter":        "no filter list names the drivers",
	"safe.nothing":         "nothing that was seen here forbids a repair",
}
