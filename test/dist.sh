#!/bin/bash
#
# test/dist.sh: make dist, the archive for PGXN, of what is committed
#
# Environment (or "make dist NAME=..."):
#	DISTDIR		where to put it, by default the current directory

MS_PROGRAM="make dist"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/lib.sh"

command -v git >/dev/null ||
	ms_die "it archives what git has committed; please install git"
[ "$(ms_git rev-parse --show-toplevel 2>/dev/null)" = "$(cd "$MS_TOP" && pwd -P)" ] ||
	ms_die "it archives what git has committed, and $MS_TOP is no git checkout"

# The version is that of META.json, which a test holds against the rest.
version=$(sed -n '1,/^   "version"/s/^   "version": "\(.*\)",/\1/p' \
	"$MS_TOP/META.json")
archive=$(realpath "${DISTDIR:-.}")/missing_symbol-$version.zip
ms_git archive --format=zip --prefix="missing_symbol-$version/" \
	--output="$archive" HEAD || ms_die "git cannot make $archive"
ms_say "$archive"
