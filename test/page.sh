#!/bin/bash
#
# test/page.sh: make test-page
#
# The HTML reports in a browser: Debian's Chromium shows pages of a private
# server in both schemes, on a narrow and on a wide screen (page/test.js), an
# HTML validator and axe-core judge them.  Ends with the line "N passed,
# N failed, N skipped".  What cannot be had (Chromium, Node, the packages of
# npm) is SKIPPED, loudly.
#
# Environment (or "make test-page NAME=..."):
#	PG_CONFIG	the PostgreSQL to test with
#	PICTURE		writes README's picture there (doc/report.png), tests nothing
#	PAGES		a directory for the pages, and pictures of them
#	RESULTS		a file for the table of test-all.sh
#	KEEP=1		keep the work directory

MS_PROGRAM="make test-page"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/lib.sh"

# those that Debian's Node can run
VALIDATOR=html-validate@8.29.0
AXE=axe-core@4.10.2
EXPRESS="express@4.21.2 pg@8.13.1"	# of the manual's snippet

skip_all()
{
	ms_say "SKIPPED  make test-page: $*"
	ms_say "0 passed, 0 failed, 1 skipped"
	[ -z "${RESULTS:-}" ] || echo "page 0 0 1 $SECONDS" >>"$RESULTS"
	exit 0
}

case ${PICTURE:-} in "" | /*) ;; *) PICTURE=$PWD/$PICTURE ;; esac
case ${PAGES:-} in "" | /*) ;; *) PAGES=$PWD/$PAGES ;; esac
ms_setup "chromium?=chromium" "node?=nodejs" "npm?=npm" clients
command -v chromium >/dev/null || skip_all "there is no Chromium (package chromium)"
command -v node >/dev/null || skip_all "there is no Node (package nodejs)"

# README's example of a profile, as it stands there
readme_example()
{
	sed -n '/^## Quick start: profiling/,/^## Functions/p' "$MS_SRC/README.md" |
		sed -n '/^```sql/,/^```/p' | grep -v '^```'
}

# as an ordinary role, in a database of its own
sql()
{
	ms_as_user psql -Xq -v ON_ERROR_STOP=1 -U web -d shop "$@" >"$MS_WORK/log/sql" 2>&1 || {
		cat "$MS_WORK/log/sql" >&2
		ms_die "the pages could not be made"
	}
}

make_pages()
{
	mkdir -p "$MS_WORK/pages" && ms_own
	readme_example | (cd "$MS_WORK/pages" && sql)
	sql -v pages="$MS_WORK/pages" -f "$MS_SRC/test/page/pages.sql"
}

fetch_packages()
{
	mkdir -p "$MS_WORK/npm"
	(cd "$MS_WORK/npm" && command -v npm >/dev/null &&
		# shellcheck disable=SC2086
		npm install --no-save --no-audit --no-fund --ignore-scripts \
			"$VALIDATOR" "$AXE" $EXPRESS >"$MS_WORK/log/npm" 2>&1 </dev/null)
	chmod -R a+rX "$MS_WORK/npm"
}

ms_begin
ms_build -s || ms_die "the build failed"
ms_start || ms_die "the server did not start"
ms_as_user createuser web
ms_as_user createdb --owner web shop
ms_as_user psql -Xq -d shop -c "CREATE EXTENSION missing_symbol" \
	-c "GRANT CREATE ON SCHEMA public TO web" || ms_die "there is no extension"
make_pages
if [ -n "${PICTURE:-}" ]; then
	ms_as_user node "$MS_SRC/test/page/picture.js" "$MS_WORK/pages/report.html" \
		"$MS_WORK/pages/report.png" &&
		cp "$MS_WORK/pages/report.png" "$PICTURE"
	exit
fi
ms_wait_for fetch_packages ||
	ms_say "npm could not install $VALIDATOR $AXE $EXPRESS: $(tail -n 1 "$MS_WORK/log/npm" 2>/dev/null)"
ms_wait_for ms_as_user env PGUSER=web PGDATABASE=shop node "$MS_SRC/test/page/test.js" "$MS_WORK/pages" \
	"$MS_WORK/npm/node_modules" "$MS_SRC/doc/page.md" | tee "$MS_WORK/log/page"
rc=${PIPESTATUS[0]}
[ -z "${PAGES:-}" ] || { mkdir -p "$PAGES" && cp "$MS_WORK"/pages/* "$PAGES/"; }
line=$(tail -n 1 "$MS_WORK/log/page")
[[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]] ||
	ms_die "the tests have not come to their end"
[ -z "${RESULTS:-}" ] ||
	echo "page ${BASH_REMATCH[1]} ${BASH_REMATCH[2]} ${BASH_REMATCH[3]} $SECONDS" >>"$RESULTS"
exit "$rc"
