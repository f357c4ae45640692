#!/bin/bash
#
# test/hard/deb.sh: make deb
#
# Builds a Debian package for each PostgreSQL that the machine's release has,
# with debhelper's pgxs support, in one throw-away chroot (deb-build.sh), and
# installs, tries and removes it in a second one where there is nothing but
# the base system (deb-try.sh).  The packages are left in $DISTDIR, if that is
# set.  What is packaged is the tree as it is, with test/debian as its debian/.
#
# Ends with "N passed, N failed".

MS_PROGRAM="make deb"
PART=deb
# shellcheck source=test/hard/lib.sh
. "$(dirname "$0")/lib.sh"

hard_run none test/hard/deb-build.sh OUT="$MS_OUT"
packages=()
for deb in "$MS_OUT"/*.deb; do
	[ -e "$deb" ] || continue
	packages+=("$(basename "$deb")")
	if [ -n "${DISTDIR:-}" ]; then
		cp "$deb" "$DISTDIR/"
	fi
	hard_run none test/hard/deb-try.sh IN="$deb"
done
hard_finish "${packages[*]}"
