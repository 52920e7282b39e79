#!/usr/bin/env bash
# Shared by scripts/bench: what was measured, kept as rows and shown as tables, in English and Japanese. Sourced, never run.
#
# Usage: source "$(dirname "${BASH_SOURCE[0]}")/figures.sh"
# Input: $tmp, where the rows are kept.
# Output: functions; all of lib.sh. Words of a row are given as 'English|Japanese'.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# heading WORDS begins a table.
heading() { printf 'heading\t%s\t%s\n' "${1%%|*}" "${1##*|}" >>"$tmp/rows"; }

# remark WORDS is a line below the table.
remark() { printf 'remark\t%s\t%s\n' "${1%%|*}" "${1##*|}" >>"$tmp/rows"; }

# row WORDS UNLOOP OTHER UNIT LIMIT adds a row. UNLOOP or OTHER may be - for none. LIMIT is - for none,
# >=N for how many times more the other must take, or <=N for how much unloop may.
row() {
	awk -v words="$1" -v unloop="$2" -v other="$3" -v unit="$4" -v limit="$5" '
		function grouped(n, s) {
			for (s = sprintf("%.0f", n); match(s, /[0-9][0-9][0-9][0-9](,|$)/); ) s = substr(s, 1, RSTART) "," substr(s, RSTART + 1)
			return s
		}
		function shown(n) {
			if (n !~ /^[0-9.]+$/) return n
			if (unit == "ms" && n >= 10000) return sprintf("%.1f s", n / 1000)
			if (unit == "ms" || unit == "/s" || unit == "MiB") return sprintf("%.1f %s", n, unit)
			if (unit == "s" || unit == "ms/MiB") return sprintf("%.2f %s", n, unit)
			return grouped(n) (unit == "" ? "" : " " unit)
		}
		function verdict() {
			if (limit ~ /^>=/) return ratio >= substr(limit, 3) + 0 ? "ok" : "MISSED"
			if (limit ~ /^<=/) return unloop <= substr(limit, 3) + 0 ? "ok" : "MISSED"
			return "-"
		}
		BEGIN {
			split(words, word, "|")
			both = unloop ~ /^[0-9.]+$/ && other ~ /^[0-9.]+$/ && unloop > 0
			ratio = both ? other / unloop : 0
			shown_limit = limit ~ /^<=/ ? "≤ " grouped(substr(limit, 3)) : limit ~ /^>=/ ? "≥ " substr(limit, 3) : "-"
			printf "row\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", word[1], word[2], shown(unloop), shown(other),
				both ? sprintf(ratio < 10 ? "%.2f" : "%.0f", ratio) : "-", shown_limit, verdict()
		}' >>"$tmp/rows"
}

# text prints the tables for a terminal.
text() {
	awk -F '\t' '
		function cell(s, width) { return sprintf("%*s", width, s == "-" ? "" : s) }
		$1 == "heading" { printf "\n%s\n%-66s %16s %16s %6s %9s\n", $2, "", "unloop", "other", "ratio", "limit" }
		$1 == "remark" { printf "  (%s)\n", $2 }
		$1 == "row" { printf "  %-64s %s %s %s %s  %s\n", $2, cell($4, 16), cell($5, 16), cell($6, 6), cell($7, 9), $8 == "-" ? "" : $8 }' "$tmp/rows"
}

# markdown LANGUAGE prints them for a README.
markdown() {
	printf '%s\n' "$(facts "$1")"
	awk -F '\t' -v lang="$1" '
		function word() { return lang == "ja" ? $3 : $2 }
		function cell(s) { return s == "-" ? "" : s }
		BEGIN { head = lang == "ja" ? "| | unloop | 比較相手 | 相手 ÷ unloop | 基準 | |" : "| | unloop | other | other ÷ unloop | limit | |" }
		$1 == "heading" { printf "\n**%s**\n\n%s\n|---|---:|---:|---:|---:|---|\n", word(), head; open = 1 }
		$1 == "remark" { printf "%s%s\n", open ? "\n" : "", word(); open = 0 }
		$1 == "row" {
			verdict = lang != "ja" ? $8 : $8 == "ok" ? "達成" : $8 == "MISSED" ? "未達" : $8
			other = lang == "ja" && $5 == "not available" ? "なし" : $5
			printf "| %s | %s | %s | %s | %s | %s |\n", word(), cell($4), cell(other), cell($6), cell($7), cell(verdict)
		}' "$tmp/rows"
}

# into_readmes puts the tables between the marks in both READMEs.
into_readmes() {
	into_readme en "$root/README.md"
	into_readme ja "$root/scripts/README.ja.md"
}

into_readme() {
	markdown "$1" >"$tmp/figures.$1"
	awk -v figures="$tmp/figures.$1" '
		/^<!-- end of figures -->$/ { inside = 0 }
		!inside
		/^<!-- figures: / { inside = 1; print ""; while ((getline line < figures) > 0) print line; print "" }' "$2" >"$tmp/readme"
	cmp -s -- "$tmp/readme" "$2" || cat -- "$tmp/readme" >"$2"
}
