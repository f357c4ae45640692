#!/bin/bash
#
# test/test-hard.sh: make test-hard
#
# What takes too long for make test-all: every suite, and PostgreSQL's own, on
# a PostgreSQL 18 with assertions and on one with the address and undefined
# behaviour sanitizers; sqlsmith; profiling under valgrind.  The servers are
# built from Debian's source package in a chroot (chroot.sh), and kept there; to
# build them takes a quarter of an hour.  Each part is bounded in time.  Ends
# with a table of figures and the line "N passed, N failed".
#
# Environment (or "make test-hard NAME=..."):
#	PARTS		some of those below; further parts are the scripts hard/NAME.sh
#	SEED		of what parts choose at random
#	MINUTES		bounds each part, instead of what is said below
#	CLEAN=1		a new chroot

MS_PROGRAM="make test-hard"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/lib.sh"

# assert, sanitize: our suites there; core-*: PostgreSQL's, with the profiler on
SERVER_PARTS="assert sanitize core-assert core-sanitize sqlsmith"
PARTS=${PARTS:-$SERVER_PARTS valgrind fuzz soak torture differential stream upgrade
	deb}

unset REGRESS ISOLATION PROVE_TESTS SUITES RESULTS PROFILE CC EXTRA_CFLAGS

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
printf '%-14s %7s %7s %7s %8s  %s\n' "" passed failed skipped seconds ""
passed=0
failed=0
while read -r part p f s seconds figures; do
	printf '%-14s %7d %7d %7d %8d  %s\n' "$part" "$p" "$f" "$s" "$seconds" \
		"$figures"
	passed=$((passed + p))
	failed=$((failed + f))
done <"$scratch/results"
ms_say "$passed passed, $failed failed"
((failed == 0 && passed > 0))
