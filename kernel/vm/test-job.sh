#!/bin/sh
# SPDX-License-Identifier: MIT
#
# In the virtual machine: run each program of /root/programs. They write to the
# kernel's log, through ttyprintk and so in its order, in which merge.awk then finds
# what the kernel said during which test.

mark()
{
	echo "svmatomic: $*" >/dev/ttyprintk
}

# Programs that need more than this machine has are run in Debian.
in=
if [ -f /root/debian.sh ]; then
	# shellcheck source=kernel/vm/debian.sh
	. /root/debian.sh
	debian_device vsvm
	in=debian
fi

status=0
modules=$(cat /modules/order)
for module in $modules; do
	# shellcheck disable=SC2046 # parameters, to be split
	insmod "/modules/$module" $(cat "/modules/${module%.ko}.parameters" 2>/dev/null) \
		2>/dev/ttyprintk || status=1
done

# Swap, and huge pages to have: tests are to find all that they can meet.
mkswap /dev/ram0 >/dev/null && swapon /dev/ram0 || status=1
echo 32 >/proc/sys/vm/nr_hugepages

while read -r program; do
	mark "begin ${program%% *}"
	# shellcheck disable=SC2086 # a word or none; and arguments
	$in /root/$program </dev/null >/dev/ttyprintk 2>&1
	mark "end ${program%% *} $?"
done </root/programs

swapoff /dev/ram0 || status=1
# Backwards, as a module is used by one that came later.
set --
for module in $modules; do
	set -- "${module%.ko}" "$@"
done
for module in "$@"; do
	rmmod "$module" 2>/dev/ttyprintk || status=1
done
exit $status
