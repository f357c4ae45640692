#!/bin/bash
#
# test/cppcheck.sh: static analysis, with PostgreSQL's headers, because half
# of the code is their macros.  cppcheck.supp says what is not reported, and
# why.  The compiler's macros are given, or it would try every combination of
# them.  Exit status 0 where there is nothing to report.

cd "$(dirname "$0")/.." || exit 1
include=$("${PG_CONFIG:-pg_config}" --includedir-server) || exit 1
exec cppcheck --quiet --error-exitcode=1 -j "$(nproc)" \
	--enable=warning,performance,portability --std=c99 \
	-D__GNUC__=12 -D__linux__=1 -D__x86_64__=1 \
	--inline-suppr --suppressions-list=test/cppcheck.supp \
	--suppress="*:$include/*" -I src -I "$include" src
