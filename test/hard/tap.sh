# shellcheck shell=bash
#
# test/hard/tap.sh: for the parts of make test-hard that run a TAP file of make
# test for longer.  The file prints "# figures: ..." for the table.
#
# Environment:
#	PG_CONFIG	the PostgreSQL to test with
#	MINUTES		for all of this, building included
#	SEED		of what is chosen at random
#	RESULTS		a file for the line "NAME passed failed skipped seconds figures"

# shellcheck disable=SC2034 # for lib.sh
MS_PROGRAM="make test-hard"
# shellcheck source=test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# name of the part, TAP file, variable for its minutes, minutes by default,
# variable for its seed
hard_tap()
{
	local part=$1 file=$2 variable=$3 minutes=$4 seed=${5:-}
	local begin log rc passed failed skipped figures

	if [ -n "${MINUTES:-}" ]; then
		minutes=$((MINUTES > 4 ? MINUTES - 3 : 1))
	fi
	ms_setup tap
	/usr/bin/python3 -c 'import psycopg2' 2>/dev/null ||
		(ms_install python3-psycopg2)
	ms_begin
	begin=$SECONDS
	ms_say "--- $part: $minutes minutes"
	ms_build COPT="${EXTRA_CFLAGS:-}" || ms_die "the build failed"
	log=$MS_WORK/log/$part
	ms_wait_for ms_make REGRESS= ISOLATION= TAP_TESTS=1 \
		PROVE_TESTS="$file" PROVE_FLAGS=-v "$variable=$minutes" \
		${SEED:+${seed:+"$seed=$SEED"}} installcheck >"$log" 2>&1 </dev/null
	rc=$?
	passed=$(grep -c '^ok ' "$log")
	failed=$(grep -c '^not ok ' "$log")
	skipped=$(grep -cE '^[^ ]*\.pl \.+ skipped: ' "$log")
	figures=$(sed -n 's/^# figures: //p' "$log" | tail -n 1)
	sed -n 's/^# \([A-Z]*SEED=\)/\1/p' "$log"
	if ((skipped > 0)); then
		sed -nE 's/^[^ ]*\.pl \.+ skipped: */SKIPPED  /p' "$log"
		figures=SKIPPED
	elif ((rc != 0)) || [ -z "$figures" ]; then
		((failed > 0)) || failed=1
		grep -A 8 '^not ok ' "$log" | head -n 100
		grep '^#' "$log" | head -n 200
		tail -n 30 "$log"
	fi
	ms_say "$part: $passed passed, $failed failed; $figures"
	if [ -n "${RESULTS:-}" ]; then
		printf '%s %d %d %d %d %s\n' "$part" "$passed" "$failed" "$skipped" \
			$((SECONDS - begin)) "$figures" >>"$RESULTS"
	fi
	((failed == 0))
}
