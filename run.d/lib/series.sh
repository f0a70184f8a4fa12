# shellcheck shell=sh
# shellcheck disable=SC2154 # kernel.sh and mesa.sh set what is not set here
# SPDX-License-Identifier: MIT
#
# A series of patches for somebody else's source, as files in this repository and as
# commits in a git repository of that source: there, back, and out to those who are to
# take it. Needs common.sh.
: "${top:?is set by ./run}"

# Whose series it is, the caller says in these, before anything else:
#	series_verb	the ./run VERB it belongs to, and what the functions are called that
#			it brings: VERB_version DIRECTORY prints the version of a source,
#			VERB_tidy DIRECTORY mends what was unpacked there
#	series_name	what the source is called: Linux
#	series_base	the version that the patches are for: 6.12
#	series_tarball	what its tarballs are called: linux-6.12.N
#	series_base_as	the end of the first commit's subject, after the version
#	series_date	the date of that commit; any one will do that is always the same
#	series_takes	GiB that the source takes, with its history
#	series_here	where patches-VERSION and files are in this repository
#	series_build	where it is built
#	series_build_by	the environment's variable that names another place for that
#	series_logs	where logs go
# then calls series_begin.
series_begin()
{
	series_files=$series_here/files
	series_patches=$series_here/patches-$series_base
	series_source=$series_build/source
	# Two lines: which tarball is unpacked, and the commit last written here or back.
	series_source_stamp=$series_build/source.stamp
	series_stamp=$series_build/series.stamp
	# A work tree for applying, which has only the files that patches touch: the source
	# itself then changes once, and only where the result differs.
	series_apply_dir=$series_build/apply
	# What does not apply yet, after a failure: refresh would otherwise forget it.
	series_pending=$series_build/series.pending
}

# The subject of the commit that holds overlay files no patch asks for.
series_loose_subject='Files that no patch names'

# series_git DIRECTORY ARGUMENT...: git that no setting of the user's reaches, so that the
# same series gives the same commits and the same patches anywhere.
series_git()
(
	unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
	series_git_at=$1
	shift
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 exec git -C "$series_git_at" \
		-c safe.directory='*' -c user.name=svmatomic -c user.email=svmatomic@localhost.invalid \
		-c gc.auto=0 -c core.abbrev=12 -c advice.detachedHead=false "$@"
)

# Only one ./run at a time may change the trees; descriptor 9 holds the lock.
series_lock()
{
	{ mkdir -p "$series_build" && true >>"$series_build/lock"; } 2>/dev/null ||
		die "$EX_CANTCREAT" "cannot write to $series_build; make it yours or remove it"
	exec 9>>"$series_build/lock"
	flock -n 9 && return 0
	say "waiting for another ./run at work in $series_build"
	flock 9
}

# series_space GIB WHAT
series_space()
{
	series_free=$(df -Pk "$series_build" | awk 'NR == 2 { print int($4 / 1048576) }')
	[ "$series_free" -ge "$1" ] || die "$EX_CANTCREAT" \
		"$2 takes up to $1 GiB and $series_build has $series_free; make room, or set $series_build_by to a directory elsewhere"
}

series_patch_list()
{
	find "$series_patches" -maxdepth 1 -name '[0-9]*.patch' 2>/dev/null | LC_ALL=C sort
}

# What the series is made of, as a hash: its contents, names and modes.
series_key()
{
	{
		series_patch_list | tr '\n' '\0' | xargs -0 -r sha256sum
		[ ! -d "$series_files" ] || find "$series_files" -type f -printf '%m %P\n' |
			LC_ALL=C sort
		[ ! -d "$series_files" ] || find "$series_files" -type f -print0 |
			LC_ALL=C sort -z | xargs -0 -r sha256sum
	} | sed "s|$top/||" | sha256sum | cut -d ' ' -f 1
}

series_any()
{
	[ -n "$(series_patch_list)" ]
}

series_tarball_key()
{
	stat -L -c '%n %s %Y' "$1"
}

series_stamped()
{
	sed -n "${1}p" "$series_source_stamp" 2>/dev/null
}

# What git says of the tree: its commit, and a hash of what is not committed.
series_state()
{
	series_git "$1" rev-parse HEAD
	{
		series_git "$1" diff HEAD
		series_git "$1" ls-files --others --exclude-standard
	} | sha256sum
}

# Is there work in the source that no patch holds?
series_unsaved()
{
	[ "$(series_git "$series_source" rev-parse HEAD)" != "$(series_stamped 2)" ] ||
		[ -n "$(series_git "$series_source" status --porcelain)" ]
}

series_keep_work()
{
	[ -d "$series_source" ] || return 0
	! series_unsaved || die "$EX_SOFTWARE" \
		"$series_source has changes that ./run $series_verb refresh has not written back; commit and refresh them, or drop them with: git -C $series_source checkout -f -B series $(series_stamped 2)"
}

series_unpack_into()
{
	mkdir "$2" &&
		XZ_OPT=-T0 tar -x --strip-components=1 --no-same-owner -f "$1" -C "$2"
}

# series_commit_base DIRECTORY SUBJECT
series_commit_base()
(
	GIT_AUTHOR_DATE=$series_date
	GIT_COMMITTER_DATE=$series_date
	export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
	"${series_verb}_tidy" "$1" &&
		series_git "$1" init -q -b series &&
		series_git "$1" config gc.auto 0 &&
		series_git "$1" add -A -f &&
		series_git "$1" commit -q -m "$2" &&
		series_git "$1" tag base
)

# series_unpack TARBALL: under another name until it is complete, so that what is
# called source is.
series_unpack()
{
	series_space "$series_takes" 'the source'
	rm -rf "$series_source.unpack"
	step "unpacking ${1##*/}" "$series_logs/$series_verb-unpack.log" \
		series_unpack_into "$1" "$series_source.unpack" ||
		die "$EX_SOFTWARE" "cannot unpack $1; see $series_logs/$series_verb-unpack.log"
	series_release=$("${series_verb}_version" "$series_source.unpack")
	case $series_release in
	"$series_base".*) ;;
	*)
		rm -rf "$series_source.unpack"
		die "$EX_SOFTWARE" "$1 is not $series_name $series_base but '$series_release'; give a tarball of $series_base.N"
		;;
	esac

	step "committing $series_name $series_release" "$series_logs/$series_verb-unpack.log" \
		series_commit_base "$series_source.unpack" "$series_name $series_release$series_base_as" ||
		die "$EX_SOFTWARE" "git failed; see $series_logs/$series_verb-unpack.log"
	# With the work trees of the old one.
	rm -rf "$series_source" "$series_build/unpatched-source" "$series_build/each-source" "$series_apply_dir"
	rm -f "$series_stamp"
	# First, so that there is no source without it.
	{
		series_tarball_key "$1"
		series_git "$series_source.unpack" rev-parse base
	} >"$series_source_stamp"
	mv "$series_source.unpack" "$series_source"
}

# series_take TARBALL: have its tree as the source, unless that is what the source is.
series_take()
{
	{ [ -f "$1" ] && [ -r "$1" ]; } ||
		die "$EX_UNAVAILABLE" "no tarball $1; give one of $series_tarball with --tarball FILE"
	set -- "$(readlink -f "$1")"
	if [ -d "$series_source" ]; then
		[ "$(series_tarball_key "$1")" != "$(series_stamped 1)" ] || return 0
		series_keep_work
	fi
	series_unpack "$1"
}

# The series as it is in this repository, as commits on the source.
series_put()
{
	series_wanted=$(series_key)
	[ "$series_wanted" != "$(cat "$series_stamp" 2>/dev/null)" ] || return 0
	series_keep_work
	series_apply
	echo "$series_wanted" >"$series_stamp"
}

# series_worktree DIRECTORY WHAT LOG: the source before the series once more, without a
# second copy of its history.
series_worktree()
{
	[ ! -f "$1/.git" ] || return 0
	rm -rf "$1"
	series_git "$series_source" worktree prune
	step "checking out $2" "$series_logs/$series_verb-$3.log" \
		series_git "$series_source" worktree add --detach "$1" base ||
		die "$EX_SOFTWARE" "git failed; see $series_logs/$series_verb-$3.log"
}

# Work is built, too, before it is written back; to be told is enough.
series_note_work()
{
	! series_unsaved ||
		say "$series_source has work that is not in ${series_patches#"$top"/}: building it as it is"
}

# --- there ---

# series_named_files PATCH: the overlay files that its message names.
series_named_files()
{
	sed '/^---$/,$d; /^diff --git /,$d' "$1" | sed -n 's/^Files: *//p'
}

series_overlay_list()
{
	[ ! -d "$series_files" ] || (cd "$series_files" && find . -type f -printf '%P\n') | LC_ALL=C sort
}

# series_overlay FILE...: copy into the tree being made, and into its index.
series_overlay()
{
	for series_file in "$@"; do
		[ -f "$series_files/$series_file" ] || {
			echo "${series_files#"$top"/}/$series_file is not there"
			return 1
		}
		mkdir -p "$series_apply_dir/$(dirname "$series_file")" &&
			cp -p "$series_files/$series_file" "$series_apply_dir/$series_file" &&
			series_git "$series_apply_dir" add -f -- "$series_file" || return 1
	done
}

# The files no patch names, first, so that any patch can build on them.
series_apply_loose()
{
	series_patch_list | while IFS= read -r series_patch; do
		series_named_files "$series_patch"
	done | LC_ALL=C sort -u >"$series_build/named"
	series_loose=$(series_overlay_list | LC_ALL=C comm -23 - "$series_build/named")
	rm -f "$series_build/named"
	[ -n "$series_loose" ] || return 0
	# shellcheck disable=SC2086 # names in such trees have no spaces
	series_overlay $series_loose &&
		GIT_AUTHOR_DATE=$series_date GIT_COMMITTER_DATE=$series_date \
			series_git "$series_apply_dir" commit -q -m "$series_loose_subject"
}

# Fold the overlay files that a patch names into the commit it has become.
series_apply_named()
{
	series_named=$(series_named_files "$1")
	[ -n "$series_named" ] || return 0
	# shellcheck disable=SC2086
	series_overlay $series_named &&
		series_git "$series_apply_dir" log -1 --format=%B | sed '/^Files: /d' |
		GIT_COMMITTER_DATE=$(series_git "$series_apply_dir" log -1 --format=%aD) \
			series_git "$series_apply_dir" commit -q --amend --no-verify -F -
}

series_apply_patch()
{
	series_git "$series_apply_dir" am -q --keep-non-patch --committer-date-is-author-date \
		--no-3way --no-scissors --whitespace=nowarn --empty=keep "$1" &&
		series_apply_named "$1"
}

series_apply_all()
{
	series_git "$series_source" worktree prune &&
		series_git "$series_source" worktree add -q --no-checkout --detach "$series_apply_dir" base &&
		series_git "$series_apply_dir" read-tree HEAD && series_apply_loose || return 1
	for series_patch in $(series_patch_list); do
		series_apply_patch "$series_patch" || {
			echo "$series_patch" >"$series_pending"
			series_git "$series_apply_dir" am --abort
			return 1
		}
	done
}

# Let the source be the commit that applying came to. Git rewrites the files that
# differ and no other, so make rebuilds no more than it must.
series_apply_take()
{
	series_head=$(series_git "$series_apply_dir" rev-parse HEAD)
	rm -rf "$series_apply_dir"
	series_git "$series_source" worktree prune
	{ series_git "$series_source" reset -q --hard "$series_head" &&
		series_git "$series_source" checkout -q -B series; } ||
		die "$EX_SOFTWARE" "git cannot write $series_source; remove it and run this again"
	series_record
}

# Take note that what the source is now, the repository's files say too.
series_record()
{
	series_tarball_line=$(series_stamped 1)
	{
		echo "$series_tarball_line"
		series_git "$series_source" rev-parse HEAD
	} >"$series_source_stamp.new"
	mv "$series_source_stamp.new" "$series_source_stamp"
}

series_apply()
{
	rm -rf "$series_apply_dir"
	rm -f "$series_pending"
	series_apply_log=$series_logs/$series_verb-apply.log
	series_count=$(series_patch_list | wc -l)
	if step "applying the series of $series_count" "$series_apply_log" series_apply_all; then
		series_apply_take
		return 0
	fi
	[ -s "$series_pending" ] ||
		die "$EX_SOFTWARE" "cannot apply the series; see $series_apply_log"

	# What did apply is the place to mend the rest from.
	series_apply_take
	series_patch=$(cat "$series_pending")
	series_reject=$(sed -n 's/^error: patch failed: //p; s/^error: \(.*\): does not exist.*/\1/p; s/^error: \(.*\): already exists.*/\1/p' "$series_apply_log" | head -n 1)
	die "$EX_SOFTWARE" "${series_patch##*/} does not apply to $series_name $("${series_verb}_version" "$series_source")${series_reject:+ ($series_reject)}; $(series_apply_remedy)"
}

series_apply_remedy()
{
	echo "the patches before it are in $series_source: commit it and the rest there (git am --reject), then ./run $series_verb refresh; or give --tarball a $series_name $(series_refreshed_on), which it was made for"
}

# The version that the patches were last written from.
series_refreshed_on()
{
	sed -n '/^[0-9]/p' "$series_patches/base-version" 2>/dev/null | grep . || echo "$series_base"
}

# --- back ---

# series_commit_overlay COMMIT: the files it adds that are overlay files.
series_commit_overlay()
{
	series_git "$series_source" log -1 --format=%B "$1" | sed -n 's/^Files: *//p' >"$series_scratch/said"
	series_subject=$(series_git "$series_source" log -1 --format=%s "$1")
	series_git "$series_source" diff-tree -r --no-commit-id --no-renames --name-only --diff-filter=A "$1" |
		LC_ALL=C sort | while IFS= read -r series_file; do
		if [ -f "$series_files/$series_file" ] || grep -qxF -e "$series_file" "$series_scratch/said" ||
			[ "$series_subject" = "$series_loose_subject" ]; then
			echo "$series_file"
		fi
	done
}

# series_message COMMIT LIST: its message, with a line for each of the files in LIST,
# as a paragraph before that of Signed-off-by and the like.
series_message()
{
	series_git "$series_source" log -1 --format=%B "$1" | sed '/^Files: /d' | awk -v list="$2" '
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

# series_filter COMMIT PARENT: the commit as its patch is to show it, without overlay
# files, upon PARENT; prints its name.
series_filter()
(
	GIT_INDEX_FILE=$series_scratch/index
	export GIT_INDEX_FILE
	rm -f "$GIT_INDEX_FILE"
	series_filter_git()
	{
		GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$series_source" \
			-c safe.directory='*' "$@"
	}
	series_filter_git read-tree "$1" || exit
	tr '\n' '\0' <"$series_scratch/overlay" |
		series_filter_git update-index -z --force-remove --stdin || exit
	GIT_AUTHOR_NAME=$(series_filter_git log -1 --format=%an "$1")
	GIT_AUTHOR_EMAIL=$(series_filter_git log -1 --format=%ae "$1")
	GIT_AUTHOR_DATE=$(series_filter_git log -1 --format=%aD "$1")
	GIT_COMMITTER_NAME=svmatomic
	GIT_COMMITTER_EMAIL=svmatomic@localhost.invalid
	GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
	export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_AUTHOR_DATE
	export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_DATE
	series_message "$1" "$series_scratch/adds" >"$series_scratch/with-files"
	series_filter_git commit-tree "$(series_filter_git write-tree)" -p "$2" -F "$series_scratch/with-files"
)

# Each commit of the series, without its overlay files: prints the last one's name, and
# leaves all their names in $series_scratch/overlay.
series_filter_all()
{
	series_filtered=$(series_git "$series_source" rev-parse base)
	true >"$series_scratch/overlay"
	for series_commit in $(series_git "$series_source" rev-list --reverse base..HEAD); do
		series_commit_overlay "$series_commit" >"$series_scratch/adds"
		cat "$series_scratch/adds" >>"$series_scratch/overlay"
		[ "$(series_git "$series_source" log -1 --format=%s "$series_commit")" != "$series_loose_subject" ] || continue
		series_filtered=$(series_filter "$series_commit" "$series_filtered") || return 1
	done
	echo "$series_filtered" >"$series_scratch/filtered"
}

# The overlay files as HEAD has them, written only where they differ.
series_refresh_files()
{
	LC_ALL=C sort -u "$series_scratch/overlay" | while IFS= read -r series_file; do
		series_git "$series_source" cat-file -e "HEAD:$series_file" 2>/dev/null || continue
		echo "$series_file"
	done >"$series_scratch/kept"

	while IFS= read -r series_file; do
		series_git "$series_source" show "HEAD:$series_file" >"$series_scratch/file"
		cmp -s "$series_scratch/file" "$series_files/$series_file" || {
			mkdir -p "$series_files/$(dirname "$series_file")"
			cat "$series_scratch/file" >"$series_files/$series_file"
		}
		case $(series_git "$series_source" ls-tree HEAD -- "$series_file") in
		100755*) chmod 755 "$series_files/$series_file" ;;
		*) chmod 644 "$series_files/$series_file" ;;
		esac
	done <"$series_scratch/kept"

	series_overlay_list | LC_ALL=C comm -23 - "$series_scratch/kept" |
		while IFS= read -r series_file; do
			rm -f "$series_files/$series_file"
		done
	[ ! -d "$series_files" ] || find "$series_files" -mindepth 1 -type d -empty -delete
}

# series_format DIRECTORY RANGE OPTION...: patches that are the same bytes each time.
series_format()
{
	series_format_into=$1
	series_format_range=$2
	shift 2
	series_git "$series_source" format-patch -q --no-signature --always --full-index \
		--no-renames --diff-algorithm=myers --no-encode-email-headers \
		-o "$series_format_into" "$@" "$series_format_range"
}

series_refresh_patches()
{
	mkdir "$series_scratch/patches"
	series_format "$series_scratch/patches" "base..$(cat "$series_scratch/filtered")" \
		--zero-commit --no-numbered --no-stat || return 1
	mkdir -p "$series_patches"
	for series_patch in $(series_patch_list); do
		[ -f "$series_scratch/patches/${series_patch##*/}" ] || rm -f "$series_patch"
	done
	for series_patch in "$series_scratch"/patches/*.patch; do
		[ -f "$series_patch" ] || continue
		cmp -s "$series_patch" "$series_patches/${series_patch##*/}" ||
			cat "$series_patch" >"$series_patches/${series_patch##*/}"
	done
	printf '# SPDX-License-Identifier: MIT\n%s\n' "$("${series_verb}_version" "$series_source")" \
		>"$series_patches/base-version"
}

# After a failure to apply, the patches from there on are only in this repository.
series_check_pending()
{
	[ -s "$series_pending" ] || return 0
	series_there=$(series_git "$series_source" log --format=%s base..HEAD |
		grep -cvxF -e "$series_loose_subject" || :)
	series_here=$(series_patch_list | wc -l)
	[ "$series_there" -ge "$series_here" ] || die "$EX_SOFTWARE" \
		"$series_source has $series_there commits of a series of $series_here; commit there what $(basename "$(cat "$series_pending")") and those after it do, or delete the patches that are to go"
}

series_refresh()
{
	[ -d "$series_source" ] ||
		die "$EX_SOFTWARE" "no $series_source yet; ./run $series_verb prepare makes it"
	[ -z "$(series_git "$series_source" status --porcelain)" ] ||
		die "$EX_SOFTWARE" "$series_source has changes that are not committed; commit or drop them, then refresh"
	series_check_pending
	series_scratch=$series_build/refresh
	rm -rf "$series_scratch"
	mkdir "$series_scratch"
	{ series_filter_all && series_refresh_files && series_refresh_patches; } ||
		die "$EX_SOFTWARE" "git cannot write the series back from $series_source"
	rm -rf "$series_scratch"
	rm -f "$series_pending"
	series_record
	series_key >"$series_stamp"
	say "$(series_patch_list | wc -l) patches in $series_patches"
}

# --- out ---

# series_export DIRECTORY: the series as messages, with a cover letter to fill in.
series_export()
{
	series_any || die "$EX_SOFTWARE" "there are no patches in ${series_patches#"$top"/} yet"
	{ mkdir -p "$1" && rm -f "$1"/[0-9]*.patch; } 2>/dev/null ||
		die "$EX_CANTCREAT" "cannot write to $1; name another directory"
	series_format "$1" base..HEAD --numbered --cover-letter --stat ||
		die "$EX_SOFTWARE" 'git format-patch failed'
	# Of no concern to who is to take it: where this repository keeps a new file.
	sed -i '1,/^diff --git /{/^Files: /d;}' "$1"/[0-9]*.patch
	say "$(find "$1" -name '[0-9]*.patch' | wc -l) messages in $1; the first, the cover letter, is to be filled in"
}

# series_each DIRECTORY COMMAND...: check every commit out in a tree of its own, so that
# the source's files keep their times and its build its objects, and run COMMAND.
series_each()
{
	series_each_tree=$1
	shift
	series_worktree "$series_each_tree" 'a tree to build each commit in' each
	for series_commit in $(series_git "$series_source" rev-list --reverse base..HEAD); do
		series_git "$series_each_tree" checkout -q --detach "$series_commit"
		say "$(series_git "$series_source" log -1 --format='%h %s' "$series_commit")"
		"$@"
	done
}
