#!/bin/bash
#
# test/hard-server.sh: the parts of make test-hard that run in the chroot
#
# For root, in what "chroot.sh hard" has made: Debian's source package of
# PostgreSQL is in /usr/src, and what is built of it in /opt/postgresql-assert
# and /opt/postgresql-sanitize, with its regression tests in regress/ there.
#
# Environment:
#	PARTS		some of test-hard.sh's
#	MINUTES		bounds each part, instead of its own bound
#	RESULTS		a file for lines "part passed failed skipped seconds figures"

MS_PROGRAM="make test-hard"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/lib.sh"

SQLSMITH_SEED=${SQLSMITH_SEED:-$RANDOM}

# A stack that is left is no crash; leaks are what contexts are for.
export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:abort_on_error=1
export UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1

# ---------------------------------------------------------------------------
# The servers
# ---------------------------------------------------------------------------

# Plain SQL fails this one as well: lock a row FOR NO KEY UPDATE, update it in
# a savepoint, roll that back, and update it again where its page is full.
# The row's multixact has our lock already, so it is used as it is, with the
# update that was rolled back.
WRONG_ASSERTION='Assert(HEAP_XMAX_IS_LOCKED_ONLY(infomask_lock_old_tuple));'

# And this one: at COMMIT and PREPARE TRANSACTION a deferred trigger, or a cursor
# WITH HOLD, runs a function that catches an error.
NARROW_ASSERTION='/^RollbackAndReleaseCurrentSubTransaction/,/^}/s/Assert(s->blockState == TBLOCK_SUBINPROGRESS/Assert(s->blockState == TBLOCK_END || s->blockState == TBLOCK_PREPARE || s->blockState == TBLOCK_SUBINPROGRESS/'

build_server()
{
	local variant=$1 prefix=/opt/postgresql-$1 build=/var/tmp/postgresql
	local heapam=src/backend/access/heap/heapam.c
	local xact=src/backend/access/transam/xact.c
	local -a configure=(--prefix="$prefix" --enable-tap-tests --with-icu
		--with-libxml --without-readline --without-llvm)

	if [ -e "$prefix/regress/parallel_schedule" ]; then
		return 0
	fi
	ms_say "Building PostgreSQL, $variant"
	case $variant in
		assert)
			configure+=(--enable-cassert CFLAGS="-O1 -g")
			;;
		sanitize)
			configure+=(CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined")
			;;
	esac
	rm -rf "$build" "$prefix"
	mkdir -p "$build/src" "$build/build" &&
		tar -xf /usr/src/postgresql-*.orig.tar.* -C "$build/src" \
			--strip-components=1 &&
		sed -i "/$WRONG_ASSERTION/d" "$build/src/$heapam" &&
		sed -i "$NARROW_ASSERTION" "$build/src/$xact" &&
		cd "$build/build" &&
		../src/configure "${configure[@]}" >"$build/log" 2>&1 &&
		make -s -j"$(nproc)" world-bin >>"$build/log" 2>&1 &&
		make -s install-world-bin >>"$build/log" 2>&1 &&
		cp -R "$build/src/src/test/regress" "$prefix/regress" &&
		cp src/test/regress/*.so "$prefix/regress/" || {
		tail -n 20 "$build/log"
		return 1
	}
	cd /
	rm -rf "$build"
}

# ---------------------------------------------------------------------------
# The parts.  Each sets ok, bad, skip and figures.
# ---------------------------------------------------------------------------

# SUITE...
own_suites()
{
	local rc suite p f s _

	: >"$scratch/suites"
	ms_wait_for timeout --foreground -k 60 $((minutes * 60)) env PG_CONFIG="$PG_CONFIG" RESULTS="$scratch/suites" SUITES="$*" \
		bash "$MS_TOP/test/run.sh" </dev/null
	rc=$?
	while read -r suite p f s _; do
		ok=$((ok + p))
		bad=$((bad + f))
		skip=$((skip + s))
		figures+="$suite $p, "
	done <"$scratch/suites"
	figures="passed: ${figures%, }"
	if ((rc != 0 && bad == 0)); then
		bad=1
		figures+="; broke, or took more than $minutes minutes"
	fi
}

# A cluster with the library preloaded and every session profiled
start_profiled()
{
	ms_setup
	ms_begin
	ms_build || return 1
	ms_start "shared_preload_libraries = 'missing_symbol'" \
		"missing_symbol.profile = 'all'" "missing_symbol.profile_plans = on" \
		"missing_symbol.profile_params = on" "fsync = off" \
		"max_prepared_transactions = 2" "$@"
}

no_crash()
{
	! grep -E "$MS_CRASHES" "$MS_WORK/log/server"
}

# ARGUMENT...: PostgreSQL's own tests
core_tests()
{
	local pgxs

	pgxs=$(dirname "$("$MS_PG_CONFIG" --pgxs)")
	ms_as_user mkdir -p "$MS_WORK/core"
	ms_wait_for ms_as_user timeout -k 60 $((minutes * 60)) \
		"$pgxs/../test/regress/pg_regress" --bindir="$MS_PGBIN" \
		--inputdir="$regress" --expecteddir="$regress" --dlpath="$regress" \
		--outputdir="$MS_WORK/core" --max-concurrent-tests=20 "$@" \
		>"$MS_WORK/log/core" 2>&1 </dev/null
}

# What was read after each file, but for the few that end their sessions because
# they are for other machines: it must have been, without an error.
advice_was_read()
{
	local counts

	mapfile -t counts < <(find "$MS_WORK/core/advice" -type f -size +0 -exec awk '
		FNR == 1 { now = 0 }
		/^it must work now$/ { now = 1; times++; next }
		now && /^(ERROR|FATAL|PANIC|WARNING):|^connection to server was lost/ {
			print FILENAME ": " $0 | "cat >&2"
			errors++
		}
		/^came to\|/ { split($0, n, "|"); for (i = 2; i < 5; i++) sum[i] += n[i] }
		END { print times + 0; print errors + 0; for (i = 2; i < 5; i++) print sum[i] + 0 }' {} +)
	figures+="; advice read after ${counts[0]} of them: ${counts[2]} findings, "
	figures+="${counts[3]} suggested indexes, ${counts[4]} proved"
	((counts[0] >= ok - 6 && counts[1] == 0 && counts[2] > 100 && counts[4] > 2))
}

core_suite()
{
	start_profiled "missing_symbol.advice_time = '10s'" || return 1
	ms_as_user mkdir -p "$MS_WORK/core/advice"
	# event_trigger lists all that there are
	core_tests --load-extension=missing_symbol &&
		ms_as_user psql -XAtq -d regression -v ON_ERROR_STOP=1 \
			-c 'ALTER EXTENSION missing_symbol DROP EVENT TRIGGER missing_symbol_forget_dropped' \
			-c 'DROP EVENT TRIGGER missing_symbol_forget_dropped' ||
		{ cat "$MS_WORK/log/core"; return 1; }
	core_tests --use-existing --schedule="$regress/parallel_schedule" \
		--launcher="bash $MS_SRC/test/hard-advice.sh $MS_WORK/core/advice"
	ok=$(grep -cE '^ok ' "$MS_WORK/log/core")
	bad=$(grep -cE '^not ok ' "$MS_WORK/log/core")
	((ok > 0)) || bad=$((bad + 1))
	if ((bad > 0)); then
		grep -vE '^ok ' "$MS_WORK/log/core"
		cat "$MS_WORK/core/regression.diffs" 2>/dev/null
	fi
	figures="PostgreSQL's own regression tests with every session profiled"
	advice_was_read && ok=$((ok + 1)) || bad=$((bad + 1))
	no_crash || bad=$((bad + 1))
}

sqlsmith_part()
{
	local log=$MS_WORK/log/sqlsmith queries errors

	start_profiled || return 1
	log=$MS_WORK/log/sqlsmith
	core_tests test_setup create_index create_aggregate create_operator ||
		{ cat "$MS_WORK/log/core"; return 1; }
	ms_as_user psql -XAtq -d regression -v ON_ERROR_STOP=1 \
		-f "$MS_SRC/test/hard-sqlsmith.sql" || return 1
	ms_wait_for timeout --foreground -s INT -k 30 $((minutes * 60)) \
		runuser -u "$MS_USER" -- env ASAN_OPTIONS="$ASAN_OPTIONS" sqlsmith \
		--target="host=$MS_SHORT/s port=5432 user=smith dbname=regression" \
		--seed="$SQLSMITH_SEED" --verbose >"$log" 2>&1 </dev/null
	no_crash && ok=1 || bad=1
	queries=$(sed -n 's/^queries: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
	ms_as_user psql -XAtqc 'SELECT 1' -d regression >/dev/null || bad=1
	((${queries:-0} > 0)) || { tail -n 20 "$log"; bad=1; }
	figures="${queries:-0} queries, seed $SQLSMITH_SEED"
}

variant_of()
{
	case $1 in
		*sanitize*) echo sanitize ;;
		*) echo assert ;;
	esac
}

run_part()
{
	local part=$1 begin=$SECONDS variant=$(variant_of "$1") default=45
	local ok=0 bad=0 skip=0 figures= minutes scratch regress

	[ "$part" != sqlsmith ] || default=10
	[[ "$variant" != sanitize && "$part" != *-tap ]] || default=60
	minutes=${MINUTES:-$default}
	ms_scratch scratch
	PG_CONFIG=/opt/postgresql-$variant/bin/pg_config
	regress=/opt/postgresql-$variant/regress
	printf '\n=== %s ===\n' "$part"
	case $part in
		assert | sanitize) own_suites build regress general isolation ;;
		*-tap) own_suites tap ;;
		core-*) core_suite || bad=$((bad + 1)) ;;
		sqlsmith) sqlsmith_part || bad=$((bad + 1)) ;;
	esac
	ms_say "$part: $ok passed, $bad failed, $figures"
	echo "$part $ok $bad $skip $((SECONDS - begin)) $figures" >>"$RESULTS"
}

# In a shell of its own: each has its work directory.
run_alone()
{
	MS_REMOVE=()
	ms_traps
	run_part "$1"
}

for part in $PARTS; do
	if ! build_server "$(variant_of "$part")"; then
		echo "$part 0 1 0 0 no server" >>"$RESULTS"
		continue
	fi
	ms_wait_for run_alone "$part"
done
! grep -q '^[^ ]* [0-9]* [1-9]' "$RESULTS"
