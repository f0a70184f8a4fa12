# SPDX-License-Identifier: MIT
#
# awk -f signs.awk -f bad.awk LOG: print the lines of a kernel's log that are bad
# signs. The status is 1 when there are any.

BEGIN { signs_init() }
{
	log_line($0)
	if (log_bad) {
		print log_text
		found = 1
	}
}
END { exit found }
