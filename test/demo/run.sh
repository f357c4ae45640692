#!/bin/bash
#
# test/demo/run.sh: make demo
#
# Counts real missing symbols on a throw-away server: those that crashes of
# this machine's programs would ask for (elf.pl), those of some made-up Windows
# modules (windows.sql), and the requests in a file, if there is one:
#
#	make demo SIGHTINGS=file.csv[.gz]
#
# or, with APP=django, serves a blog on 127.0.0.1 for a minute (DURATION=...), whose
# views are counted and whose readers have a limit (blog.py).
#
# The file has a header line; the columns symbol, debugid, filename and, if
# they are there, code_file and code_id are taken, others ignored.

MS_PROGRAM="make demo"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

SIGHTINGS=${SIGHTINGS:-}
DEMO=$MS_TOP/test/demo
DURATION=${DURATION:-60}
case ${APP:-} in
	'' | django) ;;
	*) ms_die "APP=$APP: it can be \"django\" only" ;;
esac
[[ $DURATION =~ ^[1-9][0-9]{0,2}$ ]] || ms_die "DURATION=$DURATION: seconds, up to 999"

# ---------------------------------------------------------------------------
# A traffic file: checked before anything takes time
# ---------------------------------------------------------------------------

# The header's names, one a line, as SQL identifiers
header_names()
{
	perl -ne '
		s/^\xef\xbb\xbf//; s/[\r\n]+$//;
		while (/\G(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/g)
		{
			my ($quoted, $plain, $end) = ($1, $2, $3);
			print defined $quoted ? $quoted =~ s/""/"/gr : $plain, "\n";
			last if $end eq "";
		}
		last;'
}

unpacked()
{
	if [ "$(head -c 2 "$1" | od -An -tx1 | tr -d ' \n')" = 1f8b ]; then
		gzip -dc -- "$1"
	else
		cat -- "$1"
	fi
}

if [ -n "$SIGHTINGS" ]; then
	[ -e "$SIGHTINGS" ] || ms_die "SIGHTINGS: there is no file \"$SIGHTINGS\""
	if ! [ -f "$SIGHTINGS" ] || ! [ -r "$SIGHTINGS" ]; then
		ms_die "SIGHTINGS: cannot read \"$SIGHTINGS\""
	fi
	SIGHTINGS=$(realpath "$SIGHTINGS")
	unpacked "$SIGHTINGS" >/dev/null 2>&1 ||
		ms_die "SIGHTINGS: cannot unpack \"$SIGHTINGS\""
	mapfile -t names < <(unpacked "$SIGHTINGS" 2>/dev/null | header_names)
	((${#names[@]} > 0)) || ms_die "SIGHTINGS: \"$SIGHTINGS\" is empty"
	for name in symbol debugid filename; do
		printf '%s\n' "${names[@]}" | grep -qx "$name" ||
			ms_die "SIGHTINGS: \"$SIGHTINGS\" has no column \"$name\";" \
				"its first line is \"$(IFS=, && echo "${names[*]}" |
					cut -c 1-200)\""
	done
	[ -z "$(printf '%s\n' "${names[@]}" | sort | uniq -d)" ] ||
		ms_die "SIGHTINGS: a column of \"$SIGHTINGS\" is there twice"
fi

# ---------------------------------------------------------------------------

sql()
{
	ms_as_user psql -XAtq -v ON_ERROR_STOP=1 -d demo "$@"
}

# Loads CSV from standard input as the requests of a source.
load()
{
	local source=$1 columns='' optional='' name quoted

	shift
	for name in "$@"; do
		quoted=\"${name//\"/\"\"}\"
		columns+=${columns:+, }"$quoted text"
	done
	for name in code_file code_id; do
		if ! printf '%s\n' "$@" | grep -qx "$name"; then
			optional+="ALTER TABLE raw ADD COLUMN $name text;"
		fi
	done
	{
		printf '%s\n' "CREATE TABLE raw ($columns);" \
			"\\copy raw FROM '$MS_WORK/requests.csv' CSV HEADER" \
			"$optional" \
			"INSERT INTO request (source, symbol, debugid, filename," \
			"    code_file, code_id)" \
			"SELECT '$source', symbol, debugid, filename, code_file, code_id" \
			"FROM raw ORDER BY ctid;" \
			"DROP TABLE raw;"
	} | sql
}

# Records them.  What the server says on its way is the progress.
record()
{
	local begin end

	begin=$(date +%s%N)
	sql -v VERBOSITY=terse -v source="$1" -f "$MS_SRC/test/demo/record.sql" \
		2>&1 | sed -u 's/^.*NOTICE:  /  /'
	((PIPESTATUS[0] == 0)) || ms_die "the server did not record everything"
	end=$(date +%s%N)
	sql -v source="$1" -v ms=$(((end - begin) / 1000000)) \
		-f "$MS_SRC/test/demo/rate.sql"
}

# A page stays when all else is gone: sets PAGE to its name.
new_page()
{
	PAGE=$(mktemp "${TMPDIR:-/tmp}/missing_symbol-demo-XXXXXX.html" 2>/dev/null) ||
		PAGE=$(mktemp /tmp/missing_symbol-demo-XXXXXX.html)
}

django()
{
	blog() { ms_as_user env PYTHONDONTWRITEBYTECODE=1 PATH="$MS_PGBIN:/usr/bin:/bin" /usr/bin/python3 "$MS_SRC/test/demo/blog.py" "$@"; }
	ms_say ""
	ms_say "A blog in Django $(/usr/bin/python3 -m django --version)"
	blog prepare || ms_die "the blog has no tables"
	ms_wait_for blog serve "$DURATION" "$MS_WORK/home/page.html" || ms_die "the blog went wrong"
	ms_say ""
	ms_say "The most read"
	ms_as_user psql -Xq -v ON_ERROR_STOP=1 -d demo -P footer=off -c \
		"SELECT page, count FROM views ORDER BY count DESC, page LIMIT 5"
	ms_say "The readers who got most"
	ms_as_user psql -Xq -v ON_ERROR_STOP=1 -d demo -P footer=off -c \
		"SELECT reader, count AS allowed FROM calls ORDER BY count DESC, reader LIMIT 3"
	new_page && cat "$MS_WORK/home/page.html" >"$PAGE" && chmod 644 "$PAGE"
	ms_say "The profile of its home page, with a query for each author: $PAGE"
	ms_say "How to have that: doc/clients/django.md"
}

block=#
if [ "$MS_CHARMAP" = UTF-8 ]; then
	block=█
fi

if [ -n "${APP:-}" ]; then
	/usr/bin/python3 -c 'import django' 2>/dev/null || MS_MISSING+=(python3-django)
	/usr/bin/python3 -c 'import psycopg2' 2>/dev/null || MS_MISSING+=(python3-psycopg2)
fi
ms_setup readelf=binutils tap
ms_begin
ms_say "Everything happens in $MS_WORK, which goes at the end; no other" \
	"PostgreSQL is touched"
ms_say "Building missing_symbol for $("$MS_PG_CONFIG" --version)"
ms_build -s || ms_die "the build failed"
ms_say "Starting a throw-away server"
ms_start "synchronous_commit = off" || ms_die "the server did not start"
ms_as_user createdb demo
if [ -n "${APP:-}" ]; then
	django
	exit 0
fi
sql -f "$MS_SRC/test/demo/schema.sql"

ms_say ""
ms_say "This machine: each program crashes once, and asks for the symbols of" \
	"itself and its libraries"
read_machine() { perl "$DEMO/elf.pl" >"$MS_WORK/requests.csv"; }
machine_is_at()
{
	local lines

	# the first names the columns
	lines=$(wc -l <"$MS_WORK/requests.csv")
	ms_say "$((lines > 0 ? lines - 1 : 0)) requests found"
}
ms_wait_for ms_watch machine_is_at read_machine || ms_die "cannot read ELF files"
load machine symbol debugid filename code_file code_id ||
	ms_die "cannot load this machine's requests"
ms_wait_for record machine || exit
sources=(machine)

if [ -n "$SIGHTINGS" ]; then
	ms_say ""
	ms_say "$(basename "$SIGHTINGS"): requests as they came"
	unpacked "$SIGHTINGS" >"$MS_WORK/requests.csv"
	load file "${names[@]}" || ms_die "SIGHTINGS: not a CSV file in UTF-8"
	ms_wait_for record file || exit
	sources+=(file)
fi

if [ "$(sql -c "SELECT count(*) FROM missing_symbol.missing_pdbs")" = 0 ]; then
	ms_say ""
	ms_say "Windows modules, made up, for the daily report"
	sql -f "$MS_SRC/test/demo/windows.sql"
	record "made up"
fi

for source in "${sources[@]}"; do
	ms_say ""
	case $source in
		machine) ms_say "The ten most missed of this machine" ;;
		file) ms_say "The ten most missed of $(basename "$SIGHTINGS")" ;;
	esac
	ms_as_user psql -Xq -v ON_ERROR_STOP=1 -d demo -P footer=off \
		-v source="$source" -v block="$block" \
		-f "$MS_SRC/test/demo/top.sql"
done

ms_say "Outcomes, as missing_symbol.last_increment() told them"
ms_as_user psql -Xq -v ON_ERROR_STOP=1 -d demo -P footer=off -P null=- \
	-f "$MS_SRC/test/demo/outcomes.sql"
sql -f "$MS_SRC/test/demo/refused.sql"

ms_say "The daily report: COPY (SELECT * FROM missing_symbol.missing_pdbs) TO" \
	"STDOUT CSV HEADER"
sql -c "COPY (SELECT * FROM missing_symbol.missing_pdbs) TO STDOUT CSV HEADER" \
	>"$MS_WORK/report.csv"
head -n 8 "$MS_WORK/report.csv" | sed 's/^/  /'
ms_say "  ($(($(wc -l <"$MS_WORK/report.csv") - 1)) Windows modules, madeup-*" \
	"made up for this demo; ELF files are not part of that report)"

ms_say ""
if ! sql -f "$MS_SRC/test/demo/check.sql"; then
	ms_die "the sums do not match what was recorded"
fi

page_of_all_this()
{
	new_page || return
	sql -v source=machine -v block="$block" -f "$MS_SRC/test/demo/page.sql" >"$PAGE" ||
		ms_die "there is no page"
	chmod 644 "$PAGE"
	ms_say ""
	ms_say "A page of these reports, to look at in a browser: $PAGE"
}
page_of_all_this

ms_say ""
ms_say "To go on:"
ms_say "  make test                        the tests, on a private copy, too"
ms_say "  make && sudo make install        into $("$PG_CONFIG" --version)"
# what was installed for this has made none
if command -v pg_lsclusters >/dev/null && [ -z "$(pg_lsclusters -h)" ]; then
	ms_say "  sudo pg_createcluster $MS_MAJOR main --start"
fi
ms_say "  sudo -u postgres psql -c 'CREATE EXTENSION missing_symbol'"
