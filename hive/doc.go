// Package hive knows what unloop edits in a Windows registry hive: control sets,
// services, filter drivers and the override, and how an edit is planned, shown,
// backed up, written and taken back. It speaks of keys and values; how they lie in
// the file is package regf's matter, where the file lies is the caller's.
//
// Nothing is written while planning. A hive is read (Open), looked at (Inspect), a
// Plan is made of Edits that carry their old values, the plan is carried out on a
// copy in memory (Prepare), which is checked and compared with the original key by
// key. Only then is there an Update, the whole ordered list of sector writes, and
// Apply does nothing but walk it.
//
// Edited are values only: keys are neither created nor deleted, key time stamps
// and security stay, and CurrentControlSet, which exists only while Windows runs,
// is never spoken of. A dirty hive is replayed first; repairing it is two updates, the
// replay and the edit.
package hive
