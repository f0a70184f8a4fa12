# SPDX-License-Identifier: MIT
#
# awk -f signs.awk -f said.awk LOG: print what programs wrote into a kernel's log.

BEGIN { signs_init() }
{
	log_line($0)
	if (log_user)
		print log_text
}
