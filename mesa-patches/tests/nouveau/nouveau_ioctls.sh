#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What nouveau asks the kernel for while an OpenCL program allocates, migrates, launches,
# maps and frees, with the new ioctls, without them and without SVM: the record of Mesa's
# drm-shim, call by call. No hardware is needed.
set -eu
# shellcheck source=mesa-patches/tests/nouveau/shim.sh
. "$(dirname -- "$0")/shim.sh"

# try NAME [VARIABLE=VALUE] ARGUMENT...: run svm_host with them; its words, its complaints
# and the record of the ioctls, with P for the memory's address, are then in $work.
try()
{
	name=$1
	shift
	rm -f "$work/log"
	(
		export NOUVEAU_SHIM_SVM_LOG="$work/log"
		case $1 in
		*=*)
			export "${1?}"
			shift
			;;
		esac
		on 134 "$@"
	) >"$work/out" 2>"$work/err" || {
		status=$?
		cat "$work/out" "$work/err" >&2
		fail "$name: svm_host returned $status"
	}
	touch "$work/log"
	memory=$(sed -n 's/^alloc \(0x[0-9a-f]*\)$/\1/p' "$work/out")
	end=$(printf '0x%x' $((${memory:-0} + 0x4000)))
	sed -e "s/\<${memory:-none}\>/P/; s/-$end\>/-E/" \
		-e 's/^\(SVM_INIT\|SET_POLICY\) 0x[0-9a-f]* 0x[0-9a-f]*/\1 A L/' \
		"$work/log" >"$work/calls"
	sed "s/^alloc 0x.*/alloc P/" "$work/out" >"$work/words"
}

# expect FILE: it is as standard input.
expect()
{
	diff -u - "$work/$1" >&2 || {
		cat "$work/err" >&2
		fail "$name: $1 is not as expected (-)"
	}
}

# complains TEXT: somebody said so.
complains()
{
	grep -q -- "$1" "$work/err" || fail "$name: nobody said: $1"
}

echo 'with the new ioctls, memory for atomics'
try atomics alloc atomics
expect words <<EOF
device NV134
svm system atomics
scope device all
alloc P
to device 0
to host 0
EOF
expect calls <<EOF
SVM_INIT A L = 0
QUERY 0 = 0
QUERY 0 = 0
ACQUIRE P 0x4000 4 = 0
RELEASE P 0x4000 4 = 0
EOF

echo 'with the new ioctls, other memory'
try plain alloc
expect words <<EOF
device NV134
svm system atomics
scope device all
alloc P
to device 0
to host 0
EOF
expect calls <<EOF
SVM_INIT A L = 0
QUERY 0 = 0
QUERY 0 = 0
SVM_BIND 0x800000000000 P-E 4 = 0
SVM_BIND 0x0 P-E 4 = 0
EOF

echo 'without the new ioctls'
try old NOUVEAU_SHIM_SVM=bind alloc
expect words <<EOF
device NV134
svm system
scope device
alloc P
to device 0
to host 0
EOF
# The kernel has no target CPU, and pages come back by faults.
expect calls <<EOF
SVM_INIT A L = 0
SVM_BIND 0x800000000000 P-E 0 = 0
SVM_BIND 0x0 P-E 0 = -22
EOF

echo 'without the new ioctls, memory for atomics'
try old-atomics NOUVEAU_SHIM_SVM=bind alloc atomics
expect words <<EOF
device NV134
svm system
scope device
alloc none
EOF
expect calls <<EOF
SVM_INIT A L = 0
EOF

echo 'without SVM'
try none NOUVEAU_SHIM_SVM=none alloc atomics
expect words <<EOF
device NV134
svm
scope device
alloc none
EOF
expect calls <<EOF
SVM_INIT A L = -38
EOF

echo 'a time to hold pages for'
try hold NOUVEAU_SVM_HOLD_NS=5000 alloc atomics
expect calls <<EOF
SVM_INIT A L = 0
QUERY 0 = 0
QUERY 0 = 0
SET_POLICY A L 1 5000 = 0
SET_POLICY A L 1 5000 = 0
ACQUIRE P 0x4000 4 = 0
RELEASE P 0x4000 4 = 0
EOF

echo 'a time that is too long'
try long NOUVEAU_SVM_HOLD_NS=20000000 alloc atomics
grep -q '^SET_POLICY A L 1 10000000 = 0' "$work/calls" || fail "$name: no policy"
complains 'more than the kernel allows'

# -16 EBUSY, 8 is CONTENDED: the device's fault will take it.
echo 'pages that others do not let go of'
try contended NOUVEAU_SHIM_SVM_REFUSE=8 alloc atomics
grep -qx 'ACQUIRE P 0x4000 0 = -16' "$work/calls" || fail "$name: no acquisition"
grep -qx 'to device 0' "$work/words" || fail "$name: the event has an error"

# 9 is NOMEM: CL_MEM_OBJECT_ALLOCATION_FAILURE.
echo 'no memory'
try nomem NOUVEAU_SHIM_SVM_REFUSE=9 alloc atomics
grep -qx 'to device -4' "$work/words" || fail "$name: the event has no error, or another"
complains 'cannot take page 0x.*: .*memory'

# 11 is DENIED: CL_OUT_OF_RESOURCES.
echo 'refused'
try denied NOUVEAU_SHIM_SVM_REFUSE=11 alloc atomics
grep -qx 'to device -5' "$work/words" || fail "$name: the event has no error, or another"
complains 'cannot take page 0x.*: .*policy'
echo 'ok'
