# shellcheck shell=sh
# shellcheck disable=SC2154 # kernel.sh sets what is not set here
# SPDX-License-Identifier: MIT
#
# The series, as files in this repository and as commits in the kernel's: there, back
# and out to a mailing list. Needs kernel.sh.
: "${top:?is set by ./run}"

# A work tree for applying, which has only the files that patches touch: the source
# itself then changes once, and only where the result differs.
kernel_apply_dir=$kernel_build/apply
# What does not apply yet, after a failure: refresh would otherwise forget it.
kernel_pending=$kernel_build/series.pending

# kernel_named_files PATCH: the overlay files that its message names.
kernel_named_files()
{
	sed '/^---$/,$d; /^diff --git /,$d' "$1" | sed -n 's/^Files: *//p'
}

kernel_overlay_list()
{
	[ ! -d "$kernel_files" ] || (cd "$kernel_files" && find . -type f -printf '%P\n') | LC_ALL=C sort
}

# kernel_overlay FILE...: copy into the tree being made, and into its index.
kernel_overlay()
{
	for kernel_file in "$@"; do
		[ -f "$kernel_files/$kernel_file" ] || {
			echo "kernel/files/$kernel_file is not there"
			return 1
		}
		mkdir -p "$kernel_apply_dir/$(dirname "$kernel_file")" &&
			cp -p "$kernel_files/$kernel_file" "$kernel_apply_dir/$kernel_file" &&
			kgit "$kernel_apply_dir" add -f -- "$kernel_file" || return 1
	done
}

# The files no patch names, first, so that any patch can build on them.
kernel_apply_loose()
{
	kernel_patch_list | while IFS= read -r kernel_patch; do
		kernel_named_files "$kernel_patch"
	done | LC_ALL=C sort -u >"$kernel_build/named"
	kernel_loose=$(kernel_overlay_list | LC_ALL=C comm -23 - "$kernel_build/named")
	rm -f "$kernel_build/named"
	[ -n "$kernel_loose" ] || return 0
	# shellcheck disable=SC2086 # names in a kernel tree have no spaces
	kernel_overlay $kernel_loose &&
		GIT_AUTHOR_DATE='2024-11-17T22:15:08Z' GIT_COMMITTER_DATE='2024-11-17T22:15:08Z' \
			kgit "$kernel_apply_dir" commit -q -m "$kernel_loose_subject"
}

# Fold the overlay files that a patch names into the commit it has become.
kernel_apply_named()
{
	kernel_named=$(kernel_named_files "$1")
	[ -n "$kernel_named" ] || return 0
	# shellcheck disable=SC2086
	kernel_overlay $kernel_named &&
		kgit "$kernel_apply_dir" log -1 --format=%B | sed '/^Files: /d' |
		GIT_COMMITTER_DATE=$(kgit "$kernel_apply_dir" log -1 --format=%aD) \
			kgit "$kernel_apply_dir" commit -q --amend --no-verify -F -
}

kernel_apply_patch()
{
	kgit "$kernel_apply_dir" am -q --keep-non-patch --committer-date-is-author-date \
		--no-3way --no-scissors --whitespace=nowarn --empty=keep "$1" &&
		kernel_apply_named "$1"
}

kernel_apply_all()
{
	kgit "$kernel_source" worktree prune &&
		kgit "$kernel_source" worktree add -q --no-checkout --detach "$kernel_apply_dir" base &&
		kgit "$kernel_apply_dir" read-tree HEAD && kernel_apply_loose || return 1
	for kernel_patch in $(kernel_patch_list); do
		kernel_apply_patch "$kernel_patch" || {
			echo "$kernel_patch" >"$kernel_pending"
			kgit "$kernel_apply_dir" am --abort
			return 1
		}
	done
}

# Let the source be the commit that applying came to. Git rewrites the files that
# differ and no other, so make rebuilds no more than it must.
kernel_apply_take()
{
	kernel_head=$(kgit "$kernel_apply_dir" rev-parse HEAD)
	rm -rf "$kernel_apply_dir"
	kgit "$kernel_source" worktree prune
	{ kgit "$kernel_source" reset -q --hard "$kernel_head" &&
		kgit "$kernel_source" checkout -q -B series; } ||
		die "$EX_SOFTWARE" "git cannot write $kernel_source; remove it and run this again"
	kernel_record
}

# Take note that what the source is now, the repository's files say too.
kernel_record()
{
	kernel_tarball_line=$(kernel_stamped 1)
	{
		echo "$kernel_tarball_line"
		kgit "$kernel_source" rev-parse HEAD
	} >"$kernel_stamp.new"
	mv "$kernel_stamp.new" "$kernel_stamp"
}

kernel_apply()
{
	rm -rf "$kernel_apply_dir"
	rm -f "$kernel_pending"
	kernel_apply_log=$kernel_logs/kernel-apply.log
	kernel_count=$(kernel_patch_list | wc -l)
	if step "applying the series of $kernel_count" "$kernel_apply_log" kernel_apply_all; then
		kernel_apply_take
		return 0
	fi
	[ -s "$kernel_pending" ] ||
		die "$EX_SOFTWARE" "cannot apply the series; see $kernel_apply_log"

	# What did apply is the place to mend the rest from.
	kernel_apply_take
	kernel_patch=$(cat "$kernel_pending")
	kernel_reject=$(sed -n 's/^error: patch failed: //p; s/^error: \(.*\): does not exist.*/\1/p; s/^error: \(.*\): already exists.*/\1/p' "$kernel_apply_log" | head -n 1)
	die "$EX_SOFTWARE" "${kernel_patch##*/} does not apply to Linux $(kernel_version "$kernel_source")${kernel_reject:+ ($kernel_reject)}; $(kernel_apply_remedy)"
}

kernel_apply_remedy()
{
	echo "the patches before it are in $kernel_source: commit it and the rest there (git am --reject), then ./run kernel refresh; or give --tarball a Linux $(kernel_refreshed_on), which it was made for"
}

# The kernel that the patches were last written from.
kernel_refreshed_on()
{
	sed -n 's/^6\./&/p' "$kernel_patches/base-version" 2>/dev/null | grep . || echo 6.12
}

# --- back ---

# kernel_commit_overlay COMMIT: the files it adds that are overlay files.
kernel_commit_overlay()
{
	kgit "$kernel_source" log -1 --format=%B "$1" | sed -n 's/^Files: *//p' >"$kernel_scratch/said"
	kernel_subject=$(kgit "$kernel_source" log -1 --format=%s "$1")
	kgit "$kernel_source" diff-tree -r --no-commit-id --no-renames --name-only --diff-filter=A "$1" |
		LC_ALL=C sort | while IFS= read -r kernel_file; do
		if [ -f "$kernel_files/$kernel_file" ] || grep -qxF -e "$kernel_file" "$kernel_scratch/said" ||
			[ "$kernel_subject" = "$kernel_loose_subject" ]; then
			echo "$kernel_file"
		fi
	done
}

# kernel_message COMMIT LIST: its message, with a line for each of the files in LIST,
# as a paragraph before that of Signed-off-by and the like.
kernel_message()
{
	kgit "$kernel_source" log -1 --format=%B "$1" | sed '/^Files: /d' | awk -v list="$2" '
		{ line[++count] = $0 }
		END {
			while (count && line[count] == "")
				count--
			last = count
			while (last && line[last] ~ /^[A-Z][A-Za-z-]+: /)
				last--
			# Without a paragraph of its own it is text, or the subject.
			if (last == 0 || line[last] != "")
				last = count
			text = last
			while (text && line[text] == "")
				text--
			for (i = 1; i <= text; i++)
				if (line[i] != "" || line[i - 1] != "")
					print line[i]
			while ((getline file <list) > 0) {
				if (!named++)
					print ""
				print "Files: " file
			}
			if (last < count)
				print ""
			for (i = last + 1; i <= count; i++)
				print line[i]
		}'
}

# kernel_filter COMMIT PARENT: the commit as its patch is to show it, without overlay
# files, upon PARENT; prints its name.
kernel_filter()
(
	GIT_INDEX_FILE=$kernel_scratch/index
	export GIT_INDEX_FILE
	rm -f "$GIT_INDEX_FILE"
	kfilter()
	{
		GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$kernel_source" \
			-c safe.directory='*' "$@"
	}
	kfilter read-tree "$1" || exit
	tr '\n' '\0' <"$kernel_scratch/overlay" |
		kfilter update-index -z --force-remove --stdin || exit
	GIT_AUTHOR_NAME=$(kfilter log -1 --format=%an "$1")
	GIT_AUTHOR_EMAIL=$(kfilter log -1 --format=%ae "$1")
	GIT_AUTHOR_DATE=$(kfilter log -1 --format=%aD "$1")
	GIT_COMMITTER_NAME=svmatomic
	GIT_COMMITTER_EMAIL=svmatomic@localhost.invalid
	GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
	export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_AUTHOR_DATE
	export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_DATE
	kernel_message "$1" "$kernel_scratch/adds" >"$kernel_scratch/with-files"
	kfilter commit-tree "$(kfilter write-tree)" -p "$2" -F "$kernel_scratch/with-files"
)

# Each commit of the series, without its overlay files: prints the last one's name, and
# leaves all their names in $kernel_scratch/overlay.
kernel_filter_all()
{
	kernel_filtered=$(kgit "$kernel_source" rev-parse base)
	true >"$kernel_scratch/overlay"
	for kernel_commit in $(kgit "$kernel_source" rev-list --reverse base..HEAD); do
		kernel_commit_overlay "$kernel_commit" >"$kernel_scratch/adds"
		cat "$kernel_scratch/adds" >>"$kernel_scratch/overlay"
		[ "$(kgit "$kernel_source" log -1 --format=%s "$kernel_commit")" != "$kernel_loose_subject" ] || continue
		kernel_filtered=$(kernel_filter "$kernel_commit" "$kernel_filtered") || return 1
	done
	echo "$kernel_filtered" >"$kernel_scratch/filtered"
}

# The overlay files as HEAD has them, written only where they differ.
kernel_refresh_files()
{
	LC_ALL=C sort -u "$kernel_scratch/overlay" | while IFS= read -r kernel_file; do
		kgit "$kernel_source" cat-file -e "HEAD:$kernel_file" 2>/dev/null || continue
		echo "$kernel_file"
	done >"$kernel_scratch/kept"

	while IFS= read -r kernel_file; do
		kgit "$kernel_source" show "HEAD:$kernel_file" >"$kernel_scratch/file"
		cmp -s "$kernel_scratch/file" "$kernel_files/$kernel_file" || {
			mkdir -p "$kernel_files/$(dirname "$kernel_file")"
			cat "$kernel_scratch/file" >"$kernel_files/$kernel_file"
		}
		case $(kgit "$kernel_source" ls-tree HEAD -- "$kernel_file") in
		100755*) chmod 755 "$kernel_files/$kernel_file" ;;
		*) chmod 644 "$kernel_files/$kernel_file" ;;
		esac
	done <"$kernel_scratch/kept"

	kernel_overlay_list | LC_ALL=C comm -23 - "$kernel_scratch/kept" |
		while IFS= read -r kernel_file; do
			rm -f "$kernel_files/$kernel_file"
		done
	[ ! -d "$kernel_files" ] || find "$kernel_files" -mindepth 1 -type d -empty -delete
}

# kernel_format DIRECTORY RANGE OPTION...: patches that are the same bytes each time.
kernel_format()
{
	kernel_format_into=$1
	kernel_format_range=$2
	shift 2
	kgit "$kernel_source" format-patch -q --no-signature --always --full-index \
		--no-renames --diff-algorithm=myers --no-encode-email-headers \
		-o "$kernel_format_into" "$@" "$kernel_format_range"
}

kernel_refresh_patches()
{
	mkdir "$kernel_scratch/patches"
	kernel_format "$kernel_scratch/patches" "base..$(cat "$kernel_scratch/filtered")" \
		--zero-commit --no-numbered --no-stat || return 1
	mkdir -p "$kernel_patches"
	for kernel_patch in $(kernel_patch_list); do
		[ -f "$kernel_scratch/patches/${kernel_patch##*/}" ] || rm -f "$kernel_patch"
	done
	for kernel_patch in "$kernel_scratch"/patches/*.patch; do
		[ -f "$kernel_patch" ] || continue
		cmp -s "$kernel_patch" "$kernel_patches/${kernel_patch##*/}" ||
			cat "$kernel_patch" >"$kernel_patches/${kernel_patch##*/}"
	done
	printf '# SPDX-License-Identifier: MIT\n%s\n' "$(kernel_version "$kernel_source")" \
		>"$kernel_patches/base-version"
}

# After a failure to apply, the patches from there on are only in this repository.
kernel_check_pending()
{
	[ -s "$kernel_pending" ] || return 0
	kernel_there=$(kgit "$kernel_source" log --format=%s base..HEAD |
		grep -cvxF -e "$kernel_loose_subject" || :)
	kernel_here=$(kernel_patch_list | wc -l)
	[ "$kernel_there" -ge "$kernel_here" ] || die "$EX_SOFTWARE" \
		"$kernel_source has $kernel_there commits of a series of $kernel_here; commit there what $(basename "$(cat "$kernel_pending")") and those after it do, or delete the patches that are to go"
}

kernel_refresh()
{
	[ -d "$kernel_source" ] ||
		die "$EX_SOFTWARE" "no $kernel_source yet; ./run kernel prepare makes it"
	[ -z "$(kgit "$kernel_source" status --porcelain)" ] ||
		die "$EX_SOFTWARE" "$kernel_source has changes that are not committed; commit or drop them, then refresh"
	kernel_check_pending
	kernel_scratch=$kernel_build/refresh
	rm -rf "$kernel_scratch"
	mkdir "$kernel_scratch"
	{ kernel_filter_all && kernel_refresh_files && kernel_refresh_patches; } ||
		die "$EX_SOFTWARE" "git cannot write the series back from $kernel_source"
	rm -rf "$kernel_scratch"
	rm -f "$kernel_pending"
	kernel_record
	kernel_series_key >"$kernel_series_stamp"
	say "$(kernel_patch_list | wc -l) patches in $kernel_patches"
}
