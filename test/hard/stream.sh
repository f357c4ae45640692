#!/bin/bash
#
# test/hard/stream.sh: a part of make test-hard
#
# test/t/profile_stream.pl for a quarter of an hour: what the profiler lists of
# a random stream of statements, against what the server has answered.
#
# Environment:
#	PG_CONFIG	the PostgreSQL to test with
#	MINUTES		for all of this, building included
#	SEED		of the stream
#	RESULTS		a file for the line "stream passed failed skipped seconds figures"

MS_PROGRAM="make test-hard"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

minutes=15
if [ -n "${MINUTES:-}" ]; then
	minutes=$((MINUTES > 4 ? MINUTES - 3 : 1))
fi
seed=${SEED:-$RANDOM$RANDOM}

ms_setup tap
ms_begin
begin=$SECONDS
ms_say "--- stream: $minutes minutes, SEED=$seed"
ms_build COPT="${EXTRA_CFLAGS:-}" || ms_die "the build failed"
log=$MS_WORK/log/stream
ms_wait_for ms_make REGRESS= ISOLATION= TAP_TESTS=1 \
	PROVE_TESTS=test/t/profile_stream.pl PROVE_FLAGS=-v MS_SEED="$seed" \
	MS_STREAM_SECONDS=$((minutes * 60)) installcheck >"$log" 2>&1 </dev/null
rc=$?
passed=$(grep -c '^ok ' "$log")
failed=$(grep -c '^not ok ' "$log")
figures=$(sed -n 's/^ok 1 - \(.*\): as they were.*/\1/p' "$log")
if ((rc != 0)) || [ -z "$figures" ]; then
	((failed > 0)) || failed=1
	grep -E '^(not ok|#)' "$log" | head -n 100
	tail -n 30 "$log"
fi
ms_say "stream: $passed passed, $failed failed; SEED=$seed, $figures"
if [ -n "${RESULTS:-}" ]; then
	printf 'stream %d %d 0 %d %s\n' "$passed" "$failed" $((SECONDS - begin)) \
		"SEED=$seed, $figures" >>"$RESULTS"
fi
((failed == 0))
