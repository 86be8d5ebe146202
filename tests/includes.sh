#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks who includes whom: an arrow goes down the house only, and never in a circle.
# usage: tests/includes.sh
#
#   enforce/main.c > enforce/verbs > enforce/change > enforce/records > enforce/kernel > enforce/base > policy > bpf/shared
#
# enforce/boot has no code; of bpf/, only bpf/shared is for both sides. Two files with one name, x.c and x.h, count as one.
# Prints each arrow that is wrong, and exits with 1 if there is one.
set -u
cd "$(dirname "$0")/.." || exit 2

# All arrows, a line each: who includes, a blank, whom; without the file's ending, but for headers that have no file of their own name.
arrows() {
	find enforce policy bpf -name '*.[ch]' | while read -r file; do
		sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file" | while read -r wanted; do
			case $wanted in
			*.skel.h) continue ;; # made from bpf/
			esac
			[ -e "$wanted" ] || wanted=$(dirname "$file")/$wanted
			[ -e "$wanted" ] || echo "$file includes $wanted, which isn't there" >&2
			echo "${file%.[ch]} ${wanted%.[ch]}"
		done
	done | awk '$1 != $2' | sort -u
}

# Of each arrow the floors of both ends. bpf/ outside bpf/shared is the other side: nobody may reach into it.
up() {
	awk '
	function floor_of(file) {
		if (file ~ /^bpf\/shared\//) return 0
		if (file ~ /^bpf\//) return 10
		if (file ~ /^policy\//) return 1
		if (file ~ /^enforce\/base\//) return 2
		if (file ~ /^enforce\/kernel\//) return 3
		if (file ~ /^enforce\/records\//) return 4
		if (file ~ /^enforce\/change\//) return 5
		if (file ~ /^enforce\/verbs\//) return 6
		return file == "enforce/main" ? 7 : -1
	}
	{
		from = floor_of($1); to = floor_of($2)
		if (from < 0) print "in no room: " $1
		else if (to > from || (from == 10) != (to == 10) && to != 0) print "an arrow up: " $1 " -> " $2
	}'
}

# tsort says which files are in a circle.
circles() {
	tsort 2>&1 >/dev/null | sed -n 's/^tsort: -: input contains a loop:/a circle:/p; s/^tsort: \([a-z]\)/    \1/p'
}

problems=$({
	arrows | up
	arrows | circles
} 2>&1)
[ -z "$problems" ] && exit
echo "$problems"
exit 1
