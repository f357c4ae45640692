#!/bin/bash
#
# test/hard-advice.sh: reads the view advice after each of PostgreSQL's own
# regression files, in the file's session
#
#	hard-advice.sh DIRECTORY PSQL [ARGUMENT...]	<FILE >RESULT
#
# A launcher of pg_regress: what the file prints is left as it is, and what is
# read then goes into a file in DIRECTORY.  First it is read as the file has left
# its session, which may be within a transaction that has failed, or as whoever;
# then as who has begun it, which must work.

directory=$1
shift
mark="-- the file ends here"
read=$(mktemp -p "$directory") || exit

after()
{
	# a line that is not ended would take the mark
	[ -z "$(tail -c 1 /dev/stdin)" ] || echo
	cat <<-EOF
		$mark
		\\set ECHO none
		\\set QUIET on
		\\set VERBOSITY default
		\\pset format unaligned
		\\pset tuples_only on
		\\o
		TABLE missing_symbol.advice;
		ROLLBACK;
		RESET SESSION AUTHORIZATION;
		RESET ROLE;
		\\echo it must work now
		TABLE missing_symbol.findings;
		TABLE missing_symbol.advice;
		SELECT 'came to', count(*), count(*) FILTER (WHERE suggestion LIKE 'CREATE INDEX%'), count(*) FILTER (WHERE proved) FROM missing_symbol.findings;
	EOF
}

{
	cat
	after </dev/stdin
} | "$@" 2>&1 | awk -v mark="$mark" -v read="$read" '
	$0 == mark { after = 1 }
	after { print >read; next }
	{ print }'
exit "${PIPESTATUS[1]}"
