#!/bin/bash
#
# test/test-all.sh: make test-all
#
# make test on the machine's PostgreSQL, with gcc, the same with the profiler on
# in every session, clang, assertions and the undefined behaviour sanitizer,
# cppcheck, make test-door, make test-clients (on newer releases, too),
# make test-page, and then every other supported version in a chroot (chroot.sh).
# Ends with a table of versions and suites, and the line "N passed, N failed".
# What cannot be had is SKIPPED, loudly, and counts as nothing.
#
# Environment (or "make test-all NAME=..."):
#	VERSIONS	the other versions, by default all that are supported
#	VARIANTS	some of: gcc profiled clang assert ubsan cppcheck door
#			clients page; empty: none
#	STATE		those of make test-door
#	CLEAN=1		new chroots
#	MINUTES		start nothing new after so many, and end what runs
#	LANES		so many of the other versions at once, 1 if not said
#	BRIEF		those of the other versions of which the suites general and
#			tap are left out
#	PG_CONFIG	the PostgreSQL that is "the machine's"

MS_PROGRAM="make test-all"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/lib.sh"

SUPPORTED="13 14 15 16 17 18 19"
CLIENTS_ON="17 18"
KNOWN="gcc profiled clang assert ubsan cppcheck door clients page"
VARIANTS=${VARIANTS-$KNOWN}
MINUTES=${MINUTES:-600}
LANES=${LANES:-1}

# Nothing of this is for the runs themselves.
unset REGRESS ISOLATION PROVE_TESTS SUITES RESULTS PROFILE CC EXTRA_CFLAGS

scratch=
ms_scratch scratch

table=()
skipped=()
passed=0
failed=0

header() { printf '\n=== %s ===\n' "$1"; }

skip_row()
{
	ms_say "SKIPPED  $1: $2"
	skipped+=("$1: $2")
	table+=("$(printf '%-26s SKIPPED: %s' "$1" "$2")")
}

out_of_time()
{
	((SECONDS >= MINUTES * 60))
}

# A test that hangs must not take the others' results with it.
limited()
{
	ms_wait_for timeout --foreground -k 60 $((MINUTES * 60 - SECONDS)) "$@"
}

# A row of the table from the file that run.sh wrote
add_row()
{
	local name=$1 rc=$2 seconds=$3 suite p f s row sums=0
	local -A cell=()

	while read -r suite p f s _; do
		cell[$suite]="$p/$f/$s"
		passed=$((passed + p))
		failed=$((failed + f))
		sums=$((sums + f))
	done <"$scratch/results"
	if ((rc != 0 && sums == 0)); then
		# the runner itself broke
		failed=$((failed + 1))
		((rc == 124 || rc == 137)) && name+=" TIMED OUT" || name+=" BROKEN"
	fi
	row=$(printf '%-26s' "$name")
	for suite in build regress general isolation tap; do
		row+=$(printf " %$([ "$suite" = tap ] && echo 12 || echo 10)s" \
			"${cell[$suite]:--}")
	done
	[ -z "${cell[server]:-}" ] || row+=" server crashed"
	table+=("$row $(printf '%6d s' "$seconds")")
}

# name, then VAR=VALUE for run.sh
home()
{
	local name=$1 begin=$SECONDS rc

	shift
	header "$name"
	: >"$scratch/results"
	limited env PG_CONFIG="$PG_CONFIG" RESULTS="$scratch/results" "$@" \
		bash "$MS_TOP/test/run.sh" </dev/null
	rc=$?
	add_row "$name" "$rc" $((SECONDS - begin))
}

static_analysis()
{
	local begin=$SECONDS rc ok=0 bad=0

	header "cppcheck"
	: >"$scratch/results"
	if limited env PG_CONFIG="$PG_CONFIG" \
		bash "$MS_TOP/test/cppcheck.sh"; then
		ok=1
		ms_say "ok       cppcheck"
	else
		bad=1
		ms_say "FAILED   cppcheck"
	fi
	rc=$bad
	echo "build $ok $bad 0 $((SECONDS - begin))" >"$scratch/results"
	add_row "cppcheck" "$rc" $((SECONDS - begin))
}

door()
{
	local rc begin=$SECONDS suite p f s _

	header "make test-door"
	: >"$scratch/results"
	limited env RESULTS="$scratch/results" STATE="${STATE:-}" CLEAN= \
		bash "$MS_TOP/test/door.sh" </dev/null
	rc=$?
	if ((rc == 77)); then
		skip_row "make test-door" "no chroots can be made here"
		return
	fi
	read -r suite p f s _ <"$scratch/results" || { p=0 f=1 s=0; }
	((rc == 0 || f > 0)) || f=1
	passed=$((passed + p))
	failed=$((failed + f))
	table+=("$(printf '%-26s %d/%d/%d, %d s' "make test-door" \
		"$p" "$f" "$s" $((SECONDS - begin)))")
}

# Here, and with the frameworks of newer releases
clients()
{
	local on name rc begin

	for on in "" $CLIENTS_ON; do
		[ "$on" != "$MS_MAJOR" ] || continue
		name="make test-clients${on:+ ON=$on}"
		begin=$SECONDS
		if out_of_time; then
			skip_row "$name" "no time left"
			continue
		fi
		header "$name"
		: >"$scratch/results"
		limited env PG_CONFIG="$PG_CONFIG" RESULTS="$scratch/results" ON="$on" MODES= PAGES= UPDATE= \
			bash "$MS_TOP/test/clients/run.sh" </dev/null
		rc=$?
		if ((rc == 77)); then
			skip_row "$name" "a chroot with PostgreSQL $on cannot be had"
		else
			add_row "$name" "$rc" $((SECONDS - begin))
		fi
	done
}

page()
{
	local rc begin=$SECONDS suite p f s _

	header "make test-page"
	: >"$scratch/results"
	limited env PG_CONFIG="$PG_CONFIG" RESULTS="$scratch/results" PICTURE= PAGES= \
		bash "$MS_TOP/test/page.sh" </dev/null
	rc=$?
	read -r suite p f s _ <"$scratch/results" || { p=0 f=1 s=0; }
	((rc == 0 || f > 0)) || f=1
	if ((p + f == 0)); then
		skip_row "make test-page" "there is no Chromium or no Node"
		return
	fi
	passed=$((passed + p))
	failed=$((failed + f))
	table+=("$(printf '%-26s %d/%d/%d, %d s' "make test-page" \
		"$p" "$f" "$s" $((SECONDS - begin)))")
}

# A version in its chroot.  What comes of it is left in $scratch/MAJOR: the file
# "skip", why it could not be had, or "results", "rc" and "seconds".
other()
{
	local major=$1 where rc begin=$SECONDS of=$scratch/$1
	local -a chroot=(bash "$MS_TOP/test/chroot.sh") suites=()

	case " ${BRIEF:-} " in
		*" $major "*) suites=(SUITES="build regress isolation") ;;
	esac
	mkdir "$of" || return
	if ! where=$("${chroot[@]}" where "$major" 2>&1); then
		echo "${where#chroot.sh: }" >"$of/skip"
		return
	fi
	echo "PostgreSQL $major ($where)" >"$of/name"
	if ! ms_as_root true; then
		echo "a chroot needs root, or sudo without a password" >"$of/skip"
		return
	fi
	: >"$of/results"
	# sudo keeps no environment
	chroot=(env "CHROOTS=${CHROOTS:-}" "MIRROR=${MIRROR:-}" "${chroot[@]}")
	ms_is_root || chroot=(sudo -n "${chroot[@]}")
	if [ -n "${CLEAN:-}" ]; then
		"${chroot[@]}" clean "$major"
	fi
	limited "${chroot[@]}" test "$major" RESULTS="$of/results" "${suites[@]}" \
		</dev/null 2>"$of/err"
	rc=$?
	cat "$of/err" >&2
	if ((rc == 77)); then
		tail -n 1 "$of/err" | sed 's/^chroot.sh: //' >"$of/skip"
		return
	fi
	echo "$rc" >"$of/rc"
	echo $((SECONDS - begin)) >"$of/seconds"
}

# Versions, LANES of them at once: then each line says whose it is.
others()
{
	local major name running=0

	for major; do
		if out_of_time; then
			mkdir "$scratch/$major" && echo "no time left" >"$scratch/$major/skip"
		elif ((LANES > 1)); then
			((running < LANES)) || { wait -n; running=$((running - 1)); }
			other "$major" 2>&1 | sed -u "s/^/$major: /" &
			running=$((running + 1))
		else
			header "PostgreSQL $major"
			other "$major"
		fi
	done
	wait
	for major; do
		name=$(cat "$scratch/$major/name" 2>/dev/null || echo "PostgreSQL $major")
		if [ -e "$scratch/$major/skip" ]; then
			skip_row "$name" "$(cat "$scratch/$major/skip")"
		else
			cp "$scratch/$major/results" "$scratch/results"
			add_row "$name" "$(cat "$scratch/$major/rc" || echo 1)" \
				"$(cat "$scratch/$major/seconds" || echo 0)"
		fi
	done
}

# ---------------------------------------------------------------------------

for variant in $VARIANTS; do
	case " $KNOWN " in
		*" $variant "*) ;;
		*) ms_die "there is no variant \"$variant\"" ;;
	esac
done
needs=(tap nm=binutils clients)
case " $VARIANTS " in *" clang "*) needs+=("clang?=clang") ;; esac
case " $VARIANTS " in *" cppcheck "*) needs+=("cppcheck?=cppcheck") ;; esac
if [ -n "${VERSIONS-all}" ] || [[ $VARIANTS =~ door|clients ]]; then
	needs+=("debootstrap?=debootstrap" "unshare?=util-linux" "wget?=wget")
fi
ms_setup "${needs[@]}"
versions=${VERSIONS-$(tr ' ' '\n' <<<"$SUPPORTED" | grep -vx "$MS_MAJOR")}

for variant in $VARIANTS; do
	if out_of_time; then
		skip_row "$variant" "no time left"
		continue
	fi
	case $variant in
		gcc)
			home "PostgreSQL $MS_MAJOR gcc" CC=gcc
			;;
		profiled)
			home "PostgreSQL $MS_MAJOR profiled" PROFILE=all \
				SUITES="regress general isolation tap"
			;;
		clang)
			if command -v clang >/dev/null; then
				home "PostgreSQL $MS_MAJOR clang" CC=clang \
					SUITES="build regress general isolation"
			else
				skip_row "PostgreSQL $MS_MAJOR clang" "there is no clang (package clang)"
			fi
			;;
		assert)
			home "PostgreSQL $MS_MAJOR assert" \
				EXTRA_CFLAGS=-DUSE_ASSERT_CHECKING
			;;
		ubsan)
			home "PostgreSQL $MS_MAJOR ubsan" \
				EXTRA_CFLAGS="-fsanitize=undefined -fno-sanitize-recover=all" \
				SUITES="regress general isolation"
			;;
		cppcheck)
			if command -v cppcheck >/dev/null; then
				static_analysis
			else
				skip_row "cppcheck" "there is no cppcheck (package cppcheck)"
			fi
			;;
		door)
			door
			;;
		clients)
			clients
			;;
		page)
			page
			;;
	esac
done

# shellcheck disable=SC2086
others $versions

header "passed/failed/skipped"
printf '%-26s %10s %10s %10s %10s %12s\n' "" \
	build regress general isolation tap
printf '%s\n' "${table[@]}"
if ((${#skipped[@]} > 0)); then
	ms_say ""
	printf 'NOT TESTED: %s\n' "${skipped[@]}"
fi
ms_say ""
ms_say "$passed passed, $failed failed"
((failed == 0 && passed > 0))
