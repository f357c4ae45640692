#!/bin/bash
#
# test/bench/run.sh: make bench
#
# How fast missing_symbol counts, against the statement that it replaces, on a
# private copy of PostgreSQL (see ../lib.sh).  bench.py has the cases and says
# how they are measured.  Ends with a table of what was to be reached and what
# was, whether it was or not; the exit status tells only whether everything
# could be measured.
#
# Environment (or "make bench NAME=..."):
#	PG_CONFIG	the PostgreSQL to measure
#	CASES		some of: call symbols hot new paths django throttled batch
#			wal spill commit pending buffer redis limit once
#			instructions replay;
#			profiler: what the profiler costs, by itself (see
#			profiler-instructions; some minutes)
#	ROUNDS, SECONDS	rounds of each case, and seconds of each variant in one;
#			cut into slices where pgbench and Django are the clients
#	SEED		of the order of variants
#	SIGHTINGS	a file FILE.csv or FILE.csv.gz with columns symbol, debugid,
#			filename, code_file, code_id: replay it, too
#	KEEP=1		keep the work directory

# bash's own SECONDS starts at what the environment says.
bench_seconds=$SECONDS
((bench_seconds > 0)) || bench_seconds=1

MS_PROGRAM="make bench"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

PYTHON=/usr/bin/python3				# the one that Debian's packages are for
CASES=${CASES:-call symbols hot new paths django throttled batch wal spill
	commit pending buffer redis limit once instructions}
if [ -n "${SIGHTINGS:-}" ]; then
	SIGHTINGS=$(realpath -s "$SIGHTINGS")
	[ -r "$SIGHTINGS" ] || ms_die "cannot read $SIGHTINGS"
	case " $CASES " in
		*" replay "*) ;;
		*) CASES+=" replay" ;;
	esac
fi

if [ "$CASES" = profiler ]; then
	exec bash "$MS_TOP/test/bench/profiler-instructions"
fi

wanted() { case " $CASES " in *" $1 "*) ;; *) return 1 ;; esac; }

counts_instructions() { wanted instructions || wanted once; }
perf_counts()
{
	perf stat -x, -e instructions:u true 2>&1 | grep -q '^[1-9]'
}

missing_packages()
{
	"$PYTHON" -c 'import psycopg2' 2>/dev/null || echo python3-psycopg2
	if wanted redis || wanted limit; then
		# the server's program is in there; redis-server would start one
		command -v redis-check-rdb >/dev/null || echo redis-tools
	fi
	if wanted django || wanted buffer; then
		"$PYTHON" -c 'import django' 2>/dev/null || echo python3-django
	fi
	if counts_instructions && ! perf_counts; then
		command -v valgrind >/dev/null || echo valgrind
	fi
}

# bench.py runs as whoever started us: perf may need it.
bench()
{
	env -i PATH="$MS_PGBIN:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" \
		HOME="$MS_WORK/home" LC_ALL="$MS_LOCALE" TZ=UTC TMPDIR="$MS_SHORT/tmp" \
		PGHOST="$MS_SHORT/s" PGPORT=5432 PGUSER="$MS_SUPER" PGDATABASE=postgres \
		PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
		BENCH_WORK="$MS_WORK/bench" BENCH_CASES="$CASES" \
		BENCH_ROUNDS="${ROUNDS:-3}" BENCH_SECONDS="$bench_seconds" \
		BENCH_SEED="${SEED:-1}" BENCH_SIGHTINGS="${SIGHTINGS:-}" \
		BENCH_PIDFILE="$MS_WORK/data/postmaster.pid" \
		"$PYTHON" "$MS_TOP/test/bench/bench.py" "$@"
}

# The whole server under callgrind: one file for each backend as it ends, and
# no worker, which would end meanwhile, too.
start_under_callgrind()
{
	local tries

	ms_as_user pg_ctl -D "$MS_WORK/data" -w -m fast stop \
		>>"$MS_WORK/log/pg_ctl" 2>&1 || return 1
	ms_as_user mkdir "$MS_WORK/bench/callgrind" || return 1
	ms_as_user valgrind -q --tool=callgrind --trace-children=yes \
		--callgrind-out-file="$MS_WORK/bench/callgrind/%p" \
		postgres -D "$MS_WORK/data" -c missing_symbol.worker=off \
		>"$MS_WORK/log/valgrind" 2>&1 </dev/null &
	for ((tries = 0; tries < 120; tries++)); do
		if ms_as_user pg_isready -q; then
			return 0
		fi
		sleep 1
	done
	tail -n 20 "$MS_WORK/log/valgrind" >&2
	return 1
}

# ---------------------------------------------------------------------------

begin=$SECONDS
mapfile -t MS_MISSING < <(missing_packages)
ms_setup
ms_begin
ms_build COPT="${EXTRA_CFLAGS:-}" || ms_die "the build failed"
ms_start "shared_buffers = 256MB" "work_mem = 64MB" "max_wal_size = 8GB" \
	"checkpoint_timeout = 1h" "autovacuum = off" "jit = off" \
	"synchronous_commit = off" "max_connections = 100" ||
	ms_die "the server did not start"
mkdir -p "$MS_WORK/bench"
ms_own

ms_wait_for bench timing || exit 1
if counts_instructions; then
	if perf_counts; then
		ms_wait_for bench instructions perf || exit 1
	else
		start_under_callgrind || ms_die "no server under valgrind"
		ms_wait_for bench instructions callgrind || exit 1
	fi
fi
bench summary || exit 1
ms_say "$((SECONDS - begin)) s"
