#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What nouveau makes of OpenCL C's atomics, from the source text to the words for the GPU: each
# operation, type, order and scope, on Pascal, Volta and Turing, with Mesa's drm-shim. No
# hardware is needed. The words themselves, and the sources for them, are in Mesa's
# nv50_ir_atomics.txt. The program made of nouveau_words.c is $3.
set -eu
here=$(dirname -- "$0")
# shellcheck source=mesa-patches/tests/nouveau/shim.sh
. "$here/shim.sh"
nouveau_words=$3

# expected CHIPSET: what there ought to be for the kernels on standard input.
expected()
{
	awk -v volta="$([ "$1" -ge 140 ] && echo 1)" '
	# The host is reached with sys, other work-groups with gpu, the same with cta.
	function fence(ivall) {
		if (volta)
			return " membar." scope ";" (ivall && scope != "cta" ? " cctl.ivall;" : "")
		return " membar." (scope == "gpu" ? "gl" : scope) \
			(ivall && scope != "cta" ? ".ivalld;" : ";")
	}
	function access(op, atomic) {
		if (volta)
			return " " op "." (atomic ? scope : "gpu") "." bits ";"
		if (!atomic)
			return " " op "." bits ";"
		return " " op (scope != "sys" ? ".cg" : op == "ld" ? ".cv" : ".wt") "." bits ";"
	}
	function atomic(how, op, type) {
		return " " how "." op "." type (volta ? "." scope : "") ";"
	}
	/^kernel void/ {
		name = $3
		sub(/\(.*/, "", name)
		if (name == "spin")
			next
		rest = name
		scope = sub(/_work_group$/, "", rest) ? "cta" : \
			sub(/_all_svm_devices$/, "", rest) ? "sys" : "gpu"
		sub(/_device$/, "", rest)
		acquire = rest ~ /_(acquire|acq_rel|seq_cst)$/
		release = rest ~ /_(release|acq_rel|seq_cst)$/
		sub(/_(relaxed|acquire|release|acq_rel|seq_cst)$/, "", rest)
		is_signed = rest ~ /_(int|long)$/
		bits = rest ~ /_u?long$/ ? 64 : 32
		sub(/_[a-z]*$/, "", rest)
		unused = sub(/_unused$/, "", rest)
		before = release ? fence(0) : ""
		after = acquire ? fence(1) : ""
		if (name ~ /^fence/) {
			bits = 32
			print name ":" access("st") fence(acquire) access("st")
			next
		}
		if (rest == "load") {
			print name ":" before access("ld", 1) after access("st")
			next
		}
		if (rest == "store") {
			print name ":" access("ld") before access("st", 1) after
			next
		}
		sub(/^fetch_/, "", rest)
		op = rest == "exchange" ? "exch" : rest == "sub" ? "add" : rest
		type = (is_signed && op ~ /m(in|ax)/ ? "s" : "u") bits
		# On 64 bits only additions can do without a result.
		how = unused && (bits == 32 || op == "add") ? "red" : "atom"
		result = unused ? "" : access("st")
		if (op == "cas") {
			result = access("st") access("st")
			print name ":" access("ld") access("ld") before atomic("atom", op, type) after result
			next
		}
		print name ":" access("ld") before atomic(how, op, type) after result
	}'
}

"$here/atomics.sh" int uint float long ulong >"$work/all"
# A program of them all would take minutes.
awk -v work="$work" '
	/^#pragma/ { head = head $0 "\n"; next }
	/^kernel/ && n++ % 32 == 0 {
		file = work "/" int(n / 32) ".cl"
		printf "%s", head >file
	}
	file { print >file }' "$work/all"
count=$(grep -c '^kernel' "$work/all")

export NV50_PROG_DEBUG=1
for chipset in 134 140 164; do
	on "$chipset" build "$work"/*.cl >"$work/out" 2>"$work/err" || {
		status=$?
		tail -n 20 "$work/err" >&2
		fail "NV$chipset: svm_host returned $status"
	}
	"$nouveau_words" "$chipset" <"$work/err" | sort >"$work/got"
	[ -s "$work/got" ] || fail 'this build of Mesa does not print code: it has no assertions'
	grep -v '^spin:' "$work/got" >"$work/got.most" || true
	expected "$chipset" <"$work/all" | sort >"$work/expected"
	diff -u "$work/expected" "$work/got.most" >&2 || fail "NV$chipset: not as expected (-)"
	grep -qE '^spin:.* ld\.(cv|sys)\.32;.* loop;' "$work/got" ||
		fail "NV$chipset: the loop of loads is gone: $(grep '^spin:' "$work/got")"
	echo "NV$chipset: $(wc -l <"$work/got") of $count kernels"
done
