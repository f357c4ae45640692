#!/bin/bash
#
# test/hard/valgrind.sh: a part of make test-hard
#
# The profiling wing's regression themes on a server under valgrind's memcheck:
# what is read before it is set, and what is read or written where nothing is.
# Whatever it reports counts, but what valgrind.supp says of PostgreSQL.  A
# PostgreSQL that was built with -DUSE_VALGRIND sees more: memory that palloc
# gives anew is unset there again.  That the themes' answers are right is seen
# by make test: some depend on how fast it is, and here it is 50 times slower.
# Takes some twenty minutes.
#
# Environment:
#	PG_CONFIG	the PostgreSQL to test with
#	REGRESS		the themes, instead of these
#	RESULTS		a file for the line "valgrind passed failed skipped seconds figures"

MS_PROGRAM="make test-hard"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

themes=${REGRESS:-compare explain profile findings findings_none profile_n_plus_one
	profile_privileges profile_stats}
read -r -d '' -a themes <<<"$themes"

ms_setup valgrind=valgrind
ms_begin
begin=$SECONDS
ms_say "--- valgrind: ${themes[*]}"
ms_build COPT="-g ${EXTRA_CFLAGS:-}" || ms_die "the build failed"
ms_start "fsync = off" "autovacuum = off" ||
	ms_die "the server did not start"
ms_as_user pg_ctl -D "$MS_WORK/data" -w -m fast stop >"$MS_WORK/log/pg_ctl" 2>&1

reports=$MS_WORK/reports
mkdir "$reports"
ms_own
ms_as_user valgrind -q --leak-check=no --track-origins=yes --num-callers=40 \
	--trace-children=yes --error-markers=REPORT,END \
	--suppressions="$MS_SRC/test/hard/valgrind.supp" --gen-suppressions=all \
	--log-file="$reports/%p" postgres -D "$MS_WORK/data" \
	>>"$MS_WORK/log/server" 2>&1 </dev/null &
for ((tries = 0; tries < 300; tries++)); do
	if ms_as_user pg_isready -q; then
		break
	fi
	sleep 1
done
((tries < 300)) || ms_die "no server under valgrind"

log=$MS_WORK/log/valgrind
ms_wait_for ms_make REGRESS="${themes[*]}" ISOLATION= TAP_TESTS= installcheck \
	>"$log" 2>&1 </dev/null
ms_as_user pg_ctl -D "$MS_WORK/data" -w -t 300 -m fast stop >>"$MS_WORK/log/pg_ctl" 2>&1
wait

# Each theme must come to its end.
passed=$(grep -cE '^(not )?ok [0-9]+ |^test [^ ]+ +\.\.\. (ok|FAILED)' "$log")
failed=$((${#themes[@]} - passed))
grep -E '^(not )?ok [0-9]+ |^test [^ ]+ +\.\.\. ' "$log" | sed 's/FAILED/other answers/'
((failed == 0)) || tail -n 30 "$log"
errors=$(cat "$reports"/* | grep -c 'REPORT$')
if ((errors > 0)); then
	cat "$reports"/* | head -n 1000
	failed=$((failed + errors))
fi
if grep -E "$MS_CRASHES" "$MS_WORK/log/server"; then
	failed=$((failed + 1))
fi
figures="$(find "$reports" -type f | wc -l) processes, $errors reports"
ms_say "valgrind: $passed passed, $failed failed; $figures"
if [ -n "${RESULTS:-}" ]; then
	printf 'valgrind %d %d 0 %d %s\n' "$passed" "$failed" $((SECONDS - begin)) \
		"$figures" >>"$RESULTS"
fi
((failed == 0))
