#!/bin/bash
#
# test/hard/fuzz.sh: a part of make test-hard
#
# Every function, operator and setting with arguments that nobody would give
# them (fuzz.py), as a superuser and as a role with few rights, on a private
# PostgreSQL.  Nothing may crash, leak, or fail with an internal error.
#
# Environment:
#	PG_CONFIG	the PostgreSQL to test with
#	MINUTES		for all of this, building included
#	SEED		of the choices
#	RESULTS		a file for the line "fuzz passed failed skipped seconds figures"

MS_PROGRAM="make test-hard"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

PYTHON=/usr/bin/python3				# the one that Debian's packages are for
minutes=5
if [ -n "${MINUTES:-}" ]; then
	minutes=$((MINUTES > 3 ? MINUTES - 2 : 1))
fi
seed=${SEED:-$RANDOM}

"$PYTHON" -c 'import psycopg2' 2>/dev/null || MS_MISSING+=(python3-psycopg2)
# shellcheck disable=SC2119 # nothing else is needed
ms_setup
ms_begin
begin=$SECONDS
ms_say "--- fuzz: $minutes minutes, SEED=$seed"
ms_build COPT="${EXTRA_CFLAGS:-}" || ms_die "the build failed"
ms_start "fsync = off" "max_prepared_transactions = 5" \
	"missing_symbol.flush_interval = 100ms" "log_statement = none" \
	"log_min_error_statement = panic" || ms_die "the server did not start"
log=$MS_WORK/log/fuzz
ms_wait_for ms_as_user FUZZ_SECONDS=$((minutes * 60)) FUZZ_SEED="$seed" \
	PYTHONDONTWRITEBYTECODE=1 PGDATABASE=postgres \
	"$PYTHON" "$MS_SRC/test/hard/fuzz.py" >"$log" 2>&1 </dev/null
rc=$?
cat "$log"
passed=$(sed -n 's/^\([0-9]*\) passed, [0-9]* failed$/\1/p' "$log")
failed=$(sed -n 's/^[0-9]* passed, \([0-9]*\) failed$/\1/p' "$log")
figures=$(sed -n 's/^figures: //p' "$log")
passed=${passed:-0}
failed=${failed:-1}
if ((rc != 0 && failed == 0)); then
	failed=1
fi
if grep -E 'PANIC:|TRAP:|was terminated by signal|\bleak(ed)?\b|still referenced' \
	"$MS_WORK/log/server"; then
	failed=$((failed + 1))
fi
if [ -n "${RESULTS:-}" ]; then
	printf 'fuzz %d %d 0 %d %s\n' "$passed" "$failed" $((SECONDS - begin)) \
		"$figures" >>"$RESULTS"
fi
((failed == 0))
