#!/bin/bash
#
# test/hard/soak.sh: a part of make test-hard
#
# test/t/crash.pl for a quarter of an hour: counters of every kind under load,
# and a server that is killed or stopped again and again, at a random pace.
#
# Environment:
#	PG_CONFIG	the PostgreSQL to test with
#	MINUTES		for all of this, building included
#	RESULTS		a file for the line "soak passed failed skipped seconds figures"

MS_PROGRAM="make test-hard"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

minutes=15
if [ -n "${MINUTES:-}" ]; then
	minutes=$((MINUTES > 4 ? MINUTES - 3 : 1))
fi

ms_setup tap
ms_begin
begin=$SECONDS
ms_say "--- soak: $minutes minutes"
ms_build COPT="${EXTRA_CFLAGS:-}" || ms_die "the build failed"
log=$MS_WORK/log/soak
ms_wait_for ms_make REGRESS= ISOLATION= TAP_TESTS=1 \
	PROVE_TESTS=test/t/crash.pl PROVE_FLAGS=-v SOAK_MINUTES="$minutes" \
	installcheck >"$log" 2>&1 </dev/null
rc=$?
passed=$(grep -c '^ok ' "$log")
failed=$(grep -c '^not ok ' "$log")
figures=$(sed -n 's/^# figures: //p' "$log")
if ((rc != 0)) || [ -z "$figures" ]; then
	((failed > 0)) || failed=1
	grep -A 8 '^not ok ' "$log" | head -n 100
	tail -n 30 "$log"
fi
ms_say "soak: $passed passed, $failed failed; $figures"
if [ -n "${RESULTS:-}" ]; then
	printf 'soak %d %d 0 %d %s\n' "$passed" "$failed" $((SECONDS - begin)) \
		"$figures" >>"$RESULTS"
fi
((failed == 0))
