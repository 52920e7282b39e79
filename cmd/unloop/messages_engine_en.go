package main

// messagesEngineEN is what people read of the SOFTWARE hive and of a hibernation, in
// English.
var messagesEngineEN = map[string]string{
	"flag.discard": "give up what is open in a hibernated Windows, instead of refusing it",

	"autoupdate": "%s: AUOptions %s",
	"neverlooks": "%s: Windows Update is set never to look for updates (AUOptions 1); that is stricter than what the fix updates would set, and stays",
	"overruled":  "%s: a policy decides instead of the setting (AUOptions %s, NoAutoUpdate %s); policies are left to whoever made them",
	"nologsoft":  "%s: SOFTWARE.LOG1 is not used (%s); the order of writes alone keeps the hive sound",
	"unstamped":  "%s: the state of its volume cannot be recorded (%v), so an undo will not put the hibernation back",

	"price.updates":          "price of the setting for updates: Windows no longer installs updates by itself. Look for them by hand, one at a time.",
	"price.hibernation":      "price of the discarded hibernation: what was open in the hibernated Windows is lost; it starts anew.",
	"stick.priceupdates":     "Price:    Windows no longer installs updates by itself: look for them by hand.",
	"stick.pricehibernation": "Price:    what was open in the hibernated Windows is lost; it starts anew.",

	"sleep.discards":  "%s: a Windows is hibernated in it; that is discarded first, and what was open is lost",
	"sleep.discarded": "%s: the hibernation is discarded",
	"sleep.wakes":     "%s: nothing was written to the volume since; the hibernation is put back last",
	"sleep.restored":  "%s: the hibernation is put back",
	"sleep.stays":     "%s: the hibernation stays discarded: %s",
	"acc.slept":       "%s",

	"awake.mounted":    "the volume is mounted, so it cannot be told whether anything was written to it since",
	"awake.inexact":    "the hive is no longer what the repair wrote: something has run since, and a Windows that woke now would wreck the volume",
	"awake.changed":    "the volume was written to since (its journal or its MFT differs), and a Windows that woke now would wreck it",
	"awake.file":       "%s is not to the byte what it was",
	"awake.unstamped":  "the state of the volume was not recorded",
	"awake.unreadable": "the volume cannot be read: %v",
	"awake.nofile":     "hiberfil.sys cannot be changed: %v",
	"awake.notwritten": "writing failed: %v",

	"error.notdiscarded":     "%s: the hibernation could not be discarded; the hive is untouched",
	"hint.notdiscarded":      "check the disk and run unloop again; until then that Windows may wake or start anew",
	"error.sleepfile":        "%s: hiberfil.sys cannot be changed where it lies",
	"hint.sleepfile":         "nothing was written; start that Windows and shut it down",
	"error.nosoftware":       "%s: there is no SOFTWARE hive",
	"hint.nosoftware":        "the fix updates changes the file SOFTWARE beside SYSTEM; leave updates out of --fix. Nothing was written",
	"error.notsoftware":      "%s: not a SOFTWARE hive of a Windows",
	"hint.notsoftware":       "leave updates out of --fix, or name the folder Windows\\System32\\config with both hives. Nothing was written",
	"error.noautoupdate":     "%s: Windows Update has no key for its settings",
	"hint.noautoupdate":      "unloop creates no keys; leave updates out of --fix. Nothing was written",
	"stickhint.sleepfile":    "nothing was written; start that Windows, if it starts, and shut it down",
	"stickhint.nosoftware":   "take updates out of fix in unloop.toml; nothing was written",
	"stickhint.notsoftware":  "take updates out of fix in unloop.toml; nothing was written",
	"stickhint.noautoupdate": "take updates out of fix in unloop.toml; nothing was written",
	"stickhint.hibernated":   "start that Windows and shut it down; or let discard_hibernation = true in unloop.toml give up what is open in it (only with mode = \"ask\")",
	"stickhint.notdiscarded": "check the disk, then press Enter and look again; the hive is untouched",
}
