#!/bin/sh
# Runs a program, and ends it when standard input closes.
#
# Usage: sh -c "$(cat guard.sh)" sh PROGRAM ARG...
# Output: that of the program, and its exit status.
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{
	read -r _ <&3
	while kill "$program"; do sleep 0.1 || sleep 1; done
} >/dev/null 2>&1 &
watch=$!
exec 3<&-
wait "$program"
status=$?
kill "$watch" 2>/dev/null
exit $status
