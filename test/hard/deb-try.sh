#!/bin/bash
#
# test/hard/deb-try.sh: tries the Debian package in /srv/in where nothing else
# is installed, as somebody does who has it from a repository.  For deb.sh:
# runs as root in a chroot that is thrown away.

set -u
deb=$(echo /srv/in/*.deb)
package=$(basename "$deb" | sed 's/_.*//')
major=$(sed 's/^postgresql-\([0-9]*\)-.*/\1/' <<<"$package")
log=/srv/log
failed=0
cd /

check()
{
	local what=$1

	shift
	if "$@" >"$log" 2>&1; then
		echo "ok       $what"
	else
		failed=$((failed + 1))
		echo "FAILED   $what"
		tail -n 40 "$log" | sed 's/^/    /'
	fi
}

# the answer of statements
answers()
{
	local expected=$1 got

	got=$(runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -c "$2" 2>&1)
	[ "$got" = "$expected" ] || {
		printf 'expected: %s\ngot: %s\n' "$expected" "$got"
		return 1
	}
}

files()
{
	local file version

	version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" \
		/srv/missing_symbol/missing_symbol.control)
	for file in "lib/postgresql/$major/lib/missing_symbol.so" \
		"share/postgresql/$major/extension/missing_symbol.control" \
		"share/postgresql/$major/extension/missing_symbol--1.0.sql" \
		"share/postgresql/$major/extension/missing_symbol--$version.sql" \
		"share/doc/$package/copyright" "share/doc/$package/README.md.gz" \
		"share/doc/postgresql-doc-$major/missing_symbol/counting.md.gz"; do
		dpkg -L "$package" | grep -qx "/usr/$file" ||
			{ echo "there is no /usr/$file"; return 1; }
	done
	# the checkout and what is for developers stay out
	! dpkg -L "$package" | grep -v /bitcode/ |
		grep -E '/(src|test|expected|debian)/|Makefile'
}

# the regression themes, on what is installed
themes()
{
	local lib=/usr/lib/postgresql/$major list=() file name

	for file in /srv/missing_symbol/sql/*.sql; do
		name=$(basename "$file" .sql)
		case $name in
			*--* | contents) ;;
			*) list+=("$name") ;;
		esac
	done
	mkdir -p /srv/regress
	chown postgres /srv/regress
	cd /srv/regress || return 1
	runuser -u postgres -- env PG_ABS_SRCDIR=/srv/missing_symbol \
		"$lib/lib/pgxs/src/test/regress/pg_regress" \
		--inputdir=/srv/missing_symbol --bindir="$lib/bin" \
		--load-extension=missing_symbol --encoding=UTF8 --no-locale \
		--outputdir=/srv/regress "${list[@]}" contents ||
		{ cat /srv/regress/regression.diffs; return 1; }
}

removed()
{
	apt-get -q -y remove "$package" &&
		! [ -e "/usr/lib/postgresql/$major/lib/missing_symbol.so" ] &&
		! compgen -G "/usr/share/postgresql/$major/extension/missing_symbol*"
}

echo "--- $package"
apt-get -q update >"$log" 2>&1 ||
	{ echo "deb-try.sh: apt does not work in the chroot" >&2; exit 77; }
check "it installs, with what it depends on" \
	apt-get -q -y --no-install-recommends install "$deb"
check "its files are where they belong" files
check "the server starts" pg_ctlcluster "$major" main start
check "the extension is created, and counts" answers $'1\n2' \
	"CREATE EXTENSION missing_symbol;
	CREATE TABLE page_views (page text PRIMARY KEY, hits missing_symbol.counter);
	SELECT missing_symbol.increment('page_views', '/index.html');
	SELECT missing_symbol.increment('page_views', '/index.html')"
check "with just-in-time compilation" answers 5050 \
	"SET jit_above_cost = 0; SET jit_inline_above_cost = 0;
	SELECT missing_symbol.hits(missing_symbol.sum(missing_symbol.counter(g))) FROM generate_series(1, 100) AS g"
check "1.0 is updated" answers '1' \
	"SET client_min_messages = warning;
	DROP EXTENSION missing_symbol CASCADE; CREATE EXTENSION missing_symbol VERSION '1.0';
	ALTER EXTENSION missing_symbol UPDATE;
	SELECT count(*) FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname AND a.default_version = e.extversion WHERE extname = 'missing_symbol'"
check "the regression themes pass" themes
check "the server stops" pg_ctlcluster "$major" main stop
check "it is removed" removed
((failed == 0))
