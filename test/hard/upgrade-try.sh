#!/bin/bash
#
# test/hard/upgrade-try.sh: pg_upgrade from the PostgreSQL of release $OLD to
# version $NEW.  For upgrade.sh: runs as root in a chroot of the newer release
# that is thrown away.

set -u
failed=0
work=/srv/upgrade
log=/srv/log
mkdir -p $work/s $work/states
chown -R postgres $work
cd $work || exit 1

check()
{
	local what=$1

	shift
	if "$@" >"$log" 2>&1; then
		echo "ok       $what"
	else
		failed=$((failed + 1))
		echo "FAILED   $what"
		tail -n 60 "$log" | sed 's/^/    /'
	fi
}

cannot()
{
	tail -n 20 "$log" >&2
	echo "upgrade-try.sh: $*" >&2
	exit 77
}

as_postgres() { runuser -u postgres -- "$@"; }
# major, program, arguments
pg() { as_postgres "/usr/lib/postgresql/$1/bin/$2" "${@:3}"; }
sql() { as_postgres psql -XAtq -v ON_ERROR_STOP=1 -h $work/s -d "$@"; }

# ---------------------------------------------------------------------------
# Both versions
# ---------------------------------------------------------------------------

# the older release's packages, from where this one's are
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
	if [ -e "$file" ] && grep -qw "$release" "$file"; then
		sed "s/\\b$release\\b/$OLD/" "$file" \
			>"/etc/apt/sources.list.d/old-$(basename "$file")"
	fi
done
apt-get -q update >"$log" 2>&1 || cannot "apt does not work in the chroot"
mapfile -t majors < <(apt-cache search --names-only '^postgresql-[0-9]+$' |
	sed 's/ .*//')
old=$(apt-cache policy "${majors[@]}" | sed -n 's/^postgresql-\([0-9]*\):$/\1/p' |
	grep -vx "$NEW" | sort -n | tail -n 1)
[ -n "$old" ] && [ "$old" -lt "$NEW" ] || cannot "$OLD has no PostgreSQL before $NEW"
apt-get -q -y --no-install-recommends install "postgresql-$old" \
	>"$log" 2>&1 || cannot "could not install PostgreSQL $old of $OLD"
# of the headers' package we need no compiler for bitcode
{ cd /tmp && apt-get -q download "postgresql-server-dev-$old" &&
	dpkg -x postgresql-server-dev-"$old"_*.deb /; } >"$log" 2>&1 ||
	cannot "could not get the headers of PostgreSQL $old"
cd $work || exit 1
for major in "$old" "$NEW"; do
	rm -rf build
	cp -R /srv/missing_symbol build
	make -C build PG_CONFIG="/usr/lib/postgresql/$major/bin/pg_config" \
		with_llvm=no install >"$log" 2>&1 || {
		cat "$log"
		echo "FAILED   build for PostgreSQL $major"
		exit 1
	}
done

# ---------------------------------------------------------------------------
# What there is
# ---------------------------------------------------------------------------

start()
{
	pg "$1" pg_ctl -D "$work/$1" -l "$work/$1.log" -w -t 120 \
		-o "-k $work/s -c listen_addresses= -c max_prepared_transactions=5" start
}
stop() { pg "$1" pg_ctl -D "$work/$1" -w -m fast stop; }

cluster()
{
	pg "$1" initdb -D "$work/$1" -A trust -U postgres -E UTF8 \
		--no-locale --data-checksums
}

fill()
{
	local database=$1

	sql "$database" <<'EOF'
SET client_min_messages = error;
SET missing_symbol.test_clock = '2026-11-21 01:00:00.000001+00';
CREATE SCHEMA stats;
CREATE TABLE stats.page_views (page text, day date, n numeric NOT NULL, seen timestamptz, title text, PRIMARY KEY (page, day)) WITH (fillfactor = 70);
SELECT missing_symbol.track('stats.page_views', count => 'n', last_seen => 'seen', fill => '{title}', spill => true);
CREATE TABLE stats.late (k uuid PRIMARY KEY, count int);
SELECT missing_symbol.track('stats.late', apply => 'commit');
SET missing_symbol.worker = off;
CREATE TABLE stats.soon (k text PRIMARY KEY, count bigint) WITH (fillfactor = 70);
SELECT missing_symbol.track('stats.soon', apply => 'buffer');
CREATE TABLE stats.daily (k text PRIMARY KEY, c missing_symbol.counter) PARTITION BY HASH (k);
CREATE TABLE stats.daily0 PARTITION OF stats.daily FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE stats.daily1 PARTITION OF stats.daily FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON stats.daily (c);
SELECT missing_symbol.track('stats.daily', throttle => '24 hours');
CREATE VIEW stats.report AS SELECT k, missing_symbol.hits(c), c OPERATOR(missing_symbol.>) '3 [2020-01-01,2020-01-01]' AS many FROM stats.daily;
SELECT missing_symbol.increment_by('stats.page_views', g, 'page ' || g, date '2026-11-21') FROM generate_series(1, 1000) AS g;
SELECT missing_symbol.increment_by('stats.daily', g, 'key ' || g) FROM generate_series(1, 100) AS g;
SELECT missing_symbol.increment('stats.late', md5('x')::uuid);
SELECT missing_symbol.increment_by('stats.soon', g, 'key ' || g) FROM generate_series(1, 10) AS g;
SELECT missing_symbol.record('xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym', by => 7);
BEGIN;
SELECT missing_symbol.increment('stats.page_views', 'page ' || g, date '2026-11-21') FROM generate_series(1, 20) AS g;
SELECT missing_symbol.increment('stats.page_views', 'new', date '2026-11-22');
PREPARE TRANSACTION 'holder';
SET missing_symbol.test_clock = '2026-11-21 02:00:00+00';
SELECT missing_symbol.increment_by('stats.page_views', 5000, 'page ' || g, date '2026-11-21') FROM generate_series(1, 20) AS g;
SELECT missing_symbol.increment_row('stats.page_views', '{"page": "new", "day": "2026-11-22", "title": "New \"page\""}', 3);
ROLLBACK PREPARED 'holder';
EOF
}

# What must be the same after it, without what a version may say differently
state()
{
	sql "$1" <<'EOF'
SET TimeZone = 'UTC';
SELECT extversion FROM pg_extension WHERE extname = 'missing_symbol';
SELECT c::regclass FROM pg_extension, unnest(extconfig) c WHERE extname = 'missing_symbol' ORDER BY c::regclass::text;
SELECT to_jsonb(t) FROM missing_symbol.tracked t ORDER BY target::text;
SELECT to_jsonb(s) FROM missing_symbol.spilled s ORDER BY key;
SELECT to_jsonb(b) FROM missing_symbol.buffered b ORDER BY key;
SELECT to_jsonb(t) FROM missing_symbol.total(NULL::stats.soon) t ORDER BY k;
SELECT to_jsonb(t) FROM stats.page_views t ORDER BY page;
SELECT to_jsonb(t) FROM missing_symbol.total(NULL::stats.page_views) t ORDER BY page;
SELECT to_jsonb(t) FROM stats.late t;
SELECT tableoid::regclass, to_jsonb(t) FROM stats.daily t ORDER BY k;
SELECT to_jsonb(t) FROM stats.report t ORDER BY k;
SELECT to_jsonb(t) FROM missing_symbol.symbols t;
SELECT to_jsonb(d) FROM missing_symbol.describe('stats.page_views') d;
SELECT to_jsonb(d) FROM missing_symbol.describe('stats.late') d;
SELECT to_jsonb(d) FROM missing_symbol.describe('stats.daily') d;
SELECT to_jsonb(missing_symbol.value('stats.page_views', 'page 7', '2026-11-21'));
EOF
}

# what it does with that
count_on()
{
	sql "$1" <<'EOF'
SET missing_symbol.test_clock = '2026-11-21 12:00:00+00';
SET TimeZone = 'UTC';
SELECT missing_symbol.fold();
SELECT sum(count) FROM stats.soon;
SELECT missing_symbol.increment('stats.page_views', 'page 7', '2026-11-21'), missing_symbol.value('stats.page_views', 'new', '2026-11-22');
SELECT page, n, seen, title FROM stats.page_views WHERE page = 'new';
SELECT missing_symbol.increment('stats.daily', 'key 9'), (missing_symbol.last_increment()).outcome;
SELECT missing_symbol.increment('stats.late', md5('x')), missing_symbol.value('stats.late', md5('x'));
SELECT missing_symbol.record('xul.pdb', '44E4EC8C2F41492B9369D6B9A059577C2', 'xul.sym');
SET enable_seqscan = off;
SELECT k FROM stats.daily ORDER BY c DESC LIMIT 1;
EOF
}
counted=$'31\n55\n5008|3\nnew|3|2026-11-21 02:00:00+00|New "page"\n|throttled\n|2\n8\nkey 100'

counts_on()
{
	local got

	got=$(count_on "$1" 2>&1)
	[ "$got" = "$counted" ] || {
		diff <(echo "$counted") <(echo "$got")
		return 1
	}
}

same_state()
{
	state "$1" | diff "$work/states/$1" -
}

# one at 1.0, one at the current version
databases="released current"
prepare()
{
	local database

	cluster "$old" && start "$old" || return 1
	for database in $databases; do
		sql postgres -c "CREATE DATABASE $database" || return 1
	done
	sql released -c "CREATE EXTENSION missing_symbol VERSION '1.0'" &&
		sql current -c "CREATE EXTENSION missing_symbol" || return 1
	for database in $databases; do
		fill "$database" && state "$database" >"$work/states/$database" ||
			return 1
	done
	# it is all still on its way
	grep -q '"delta": 5000' "$work/states/current" &&
		grep -q '"delta": 10,' "$work/states/current" || return 1
	stop "$old"
}

upgrade()
{
	(cd "$work" && pg "$NEW" pg_upgrade -U postgres -s "$work/s" \
		-b "/usr/lib/postgresql/$old/bin" -B "/usr/lib/postgresql/$NEW/bin" \
		-d "$work/$old" -D "$work/$NEW" "$@") || {
		find "$work/$NEW" -path '*pg_upgrade_output.d*' -name '*.log' -size +0 \
			-exec tail -n 20 {} +
		return 1
	}
}

updates()
{
	sql released -c 'ALTER EXTENSION missing_symbol UPDATE' &&
		[ "$(sql released -c "CALL missing_symbol.prune('stats.page_views', '100 years', dry_run => true)" 2>&1)" = \
			"NOTICE:  table stats.page_views: would remove 0, keep 0" ]
}

# what was upgraded can be dumped, and the dump restored
dumps()
{
	pg "$NEW" pg_dump -h $work/s -f $work/dump "$1" &&
		sql postgres -c "CREATE DATABASE again_$1" &&
		sql "again_$1" -f $work/dump >/dev/null &&
		# what is restored is the current version
		sql postgres -c "CREATE DATABASE updated_$1 TEMPLATE $1" &&
		sql "updated_$1" -c 'ALTER EXTENSION missing_symbol UPDATE' &&
		diff <(state "updated_$1") <(state "again_$1")
}

# ---------------------------------------------------------------------------

echo "--- pg_upgrade from $old to $NEW"
check "counters in PostgreSQL $old" prepare
if ((failed > 0)); then
	pg "$old" pg_ctl -D "$work/$old" -m immediate stop >"$log" 2>&1
	exit 1
fi
check "PostgreSQL $NEW" cluster "$NEW"
check "pg_upgrade --check" upgrade --check
check "pg_upgrade" upgrade
check "PostgreSQL $NEW starts" start "$NEW"
for database in $databases; do
	check "$database: the same counters, settings and spilled increments" \
		same_state "$database"
	check "$database: counts on" counts_on "$database"
	check "$database: dump and restore" dumps "$database"
done
check "1.0 is updated" updates
check "no index is damaged" pg "$NEW" pg_amcheck -h $work/s --install-missing \
	--heapallindexed -a
check "PostgreSQL $NEW stops" stop "$NEW"
for major in "$old" "$NEW"; do
	if [ -e "$work/$major/postmaster.pid" ]; then
		pg "$major" pg_ctl -D "$work/$major" -m immediate stop >"$log" 2>&1
	fi
done
if grep -E 'PANIC|TRAP:|was terminated by signal' $work/*.log; then
	failed=$((failed + 1))
	echo "FAILED   a server crashed"
fi
((failed == 0))
