#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The code that an engine runs from a copy refers to nothing outside of its section: no data,
# no functions, nothing of a sanitizer's or a profiler's. section.sh LIBRARY
set -eu

for program in readelf awk; do
	command -v "$program" >/dev/null || {
		echo "skipped: no $program here"
		exit 77
	}
done
case $(readelf -h "$1" | sed -n 's/.*Machine: *//p' | sort -u) in
*X86-64*) ;;
*)
	echo 'skipped: engines are for x86-64'
	exit 77
	;;
esac

# The section's number, the symbols in it, and then what its relocations name.
readelf -SsrW "$1" | awk '
	/^File: / { inside = 0; number = "" }
	match($0, /\[ *[0-9]+\] +svma_engine +PROGBITS/) {
		number = $0
		sub(/^ *\[ */, "", number)
		sub(/\].*/, "", number)
		found++
	}
	/^Relocation section/ { inside = /\.relasvma_engine/ }
	inside && /R_X86_64/ { wanted[++count] = $5 }
	/^Symbol table/ { inside = 0 }
	number != "" && $7 == number && $1 ~ /:$/ { own[$8] = 1 }
	END {
		for (i = 1; i <= count; i++)
			if (!(wanted[i] in own) && wanted[i] != "svma_engine") {
				print "an engine refers to " wanted[i]
				bad = 1
			}
		if (found != 1) {
			print found + 0 " sections, not one"
			bad = 1
		}
		print count + 0 " references"
		exit bad
	}'
