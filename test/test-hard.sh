#!/bin/bash
#
# test/test-hard.sh: make test-hard
#
# What takes too long for make test-all: every suite, and PostgreSQL's own, on
# a PostgreSQL 18 with assertions and on one with the address and undefined
# behaviour sanitizers; sqlsmith; profiling under valgrind.  The servers are
# built from Debian's source package in a chroot (chroot.sh), and kept there; to
# build them takes a quarter of an hour.  Each part ends within an hour on two
# processors.  Ends with a table of what each part came to when it was last run,
# which is kept from one run to the next, and the line "N passed, N failed",
# which is of this run.
#
# Environment (or "make test-hard NAME=..."):
#	PARTS		some of those below; further parts are the scripts hard/NAME.sh
#	SEED		of what parts choose at random
#	MINUTES		bounds each part, instead of what is said below
#	CLEAN=1		a new chroot
#	KEPT		the file of the table, .test-hard if not said

MS_PROGRAM="make test-hard"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/lib.sh"

# assert, sanitize: our suites there, -tap: the suite tap; core-*: PostgreSQL's,
# with the profiler on
SERVER_PARTS="assert assert-tap sanitize sanitize-tap core-assert core-sanitize sqlsmith"
PARTS=${PARTS:-$SERVER_PARTS valgrind fuzz soak torture differential stream upgrade
	deb}

KEPT=${KEPT:-$MS_TOP/.test-hard}

unset REGRESS ISOLATION PROVE_TESTS SUITES RESULTS PROFILE CC EXTRA_CFLAGS

# A tree that differs from its commit has a "+".
tree=$(ms_git rev-parse --short HEAD 2>/dev/null || echo no-git)
[ -z "$(ms_git status --porcelain 2>/dev/null)" ] || tree+="+"
touch "$KEPT" || ms_die "cannot write to $KEPT"

scratch=
ms_scratch scratch
: >"$scratch/results"

in_chroot()
{
	local -a chroot=(env "CHROOTS=${CHROOTS:-}" "MIRROR=${MIRROR:-}"
		bash "$MS_TOP/test/chroot.sh")
	local rc

	ms_as_root true || {
		ms_say "SKIPPED  $*: a chroot needs root, or sudo without a password"
		printf '%s 0 0 1 0 SKIPPED\n' "$@" >>"$scratch/results"
		return
	}
	ms_is_root || chroot=(sudo -n "${chroot[@]}")
	if [ -n "${CLEAN:-}" ]; then
		"${chroot[@]}" clean 18-hard
	fi
	ms_wait_for "${chroot[@]}" hard 18 RESULTS="$scratch/results" PARTS="$*" \
		${MINUTES:+MINUTES="$MINUTES"} </dev/null 2>"$scratch/err"
	rc=$?
	cat "$scratch/err" >&2
	if ((rc == 77)); then
		ms_say "SKIPPED  $*: $(tail -n 1 "$scratch/err")"
		printf '%s 0 0 1 0 SKIPPED\n' "$@" >>"$scratch/results"
	elif ((rc != 0)) && ! grep -q '^[^ ]* [0-9]* [1-9]' "$scratch/results"; then
		printf 'chroot 0 1 0 0 broke\n' >>"$scratch/results"
	fi
}

here=()
for part in $PARTS; do
	case " $SERVER_PARTS " in
		*" $part "*) here+=("$part") ;;
		*) [ -e "$MS_TOP/test/hard/$part.sh" ] || ms_die "there is no part \"$part\"" ;;
	esac
done
((${#here[@]} == 0)) || in_chroot "${here[@]}"
for part in $PARTS; do
	[ -e "$MS_TOP/test/hard/$part.sh" ] || continue
	ms_wait_for env RESULTS="$scratch/results" timeout --foreground -k 60 $((${MINUTES:-60} * 60)) \
		bash "$MS_TOP/test/hard/$part.sh" </dev/null ||
		grep -q "^$part [0-9]* [1-9]" "$scratch/results" ||
		printf '%s 0 1 0 0 broke\n' "$part" >>"$scratch/results"
done

# ---------------------------------------------------------------------------

ms_say ""
# what each part came to when it was last run, and on which tree
while read -r part rest; do
	sed -i "/^$part /d" "$KEPT"
	printf '%s %s %s\n' "$part" "$tree" "$rest" >>"$KEPT"
done <"$scratch/results"

printf '%-14s %-9s %7s %7s %7s %8s\n' "" tree passed failed skipped seconds
while read -r part at p f s seconds figures; do
	printf '%-14s %-9s %7d %7d %7d %8d  %s\n' "$part" "$at" "$p" "$f" "$s" \
		"$seconds" "$figures"
done < <(sort "$KEPT")
passed=0
failed=0
while read -r _ p f _; do
	passed=$((passed + p))
	failed=$((failed + f))
done <"$scratch/results"
ms_say "$passed passed, $failed failed"
((failed == 0 && passed > 0))
