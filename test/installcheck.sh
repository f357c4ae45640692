#!/bin/bash
#
# test/installcheck.sh BINDIR SRCDIR [server] [tap]: whether make installcheck
# can run, for the Makefile; says all that it lacks.

set -u
export LC_ALL=C
bindir=$1
srcdir=$2
shift 2
lacks=()

server()
{
	local psql=("$bindir/psql" -XAtq -d postgres -c)
	local super

	if ! super=$("${psql[@]}" "SELECT current_setting('is_superuser')" \
		2>&1 </dev/null); then
		lacks+=("a running server that takes us without asking (PGHOST, PGPORT, PGUSER, PGPASSFILE say which): ${super%%$'\n'*}")
		return
	fi
	[ "$super" = on ] ||
		lacks+=("a superuser role: \"createuser --superuser $(id -un)\", or PGUSER")
	"${psql[@]}" "SELECT 1 / count(*) FROM pg_available_extensions
		WHERE name = 'missing_symbol'" >/dev/null 2>&1 </dev/null ||
		lacks+=("the extension installed there: \"make install\" with that server's pg_config")
}

for need in "$@"; do
	case $need in
		server)
			server
			;;
		tap)
			[ "$(id -u)" -ne 0 ] ||
				lacks+=("another user than root: the TAP tests start servers (\"make installcheck PROVE_TESTS=\" leaves them out)")
			perl -MIPC::Run -e 1 2>/dev/null ||
				lacks+=("Perl's IPC::Run for the TAP tests (package libipc-run-perl)")
			[ -x "$bindir/postgres" ] ||
				lacks+=("the server's programs for the TAP tests in $bindir")
			;;
	esac
done
{ [ -w . ] && [ -r "$srcdir/sql" ]; } ||
	lacks+=("a copy of these sources that $(id -un) may write to, for the results")

[ ${#lacks[@]} -gt 0 ] || exit 0
{
	echo "make installcheck needs:"
	printf '  %s\n' "${lacks[@]}"
	echo "\"make test\" needs none of that."
} >&2
exit 1
