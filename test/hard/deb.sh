#!/bin/bash
#
# test/hard/deb.sh: make deb
#
# Builds a Debian package for each PostgreSQL that the machine's release has,
# with debhelper's pgxs support, in one throw-away chroot (deb-build.sh), and
# installs, tries and removes it in a second one where there is nothing but
# the base system (deb-try.sh).  The packages are left in $DISTDIR.  What is
# packaged is the tree as it is, with test/debian as its debian/.
#
# Ends with "N passed, N failed"; exit status 77: cannot be done here.

MS_PROGRAM="make deb"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

DISTDIR=${DISTDIR:-.}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

skip()
{
	ms_say "SKIPPED  Debian package: $*"
	exit 77
}

# script, then arguments of chroot.sh run
in_chroot()
{
	local script=$1
	local -a run=(bash "$MS_TOP/test/chroot.sh" run none "test/hard/$script")

	shift
	run=(env "CHROOTS=${CHROOTS:-}" "MIRROR=${MIRROR:-}" "${run[@]}" "$@")
	ms_is_root || run=(sudo -n "${run[@]}")
	"${run[@]}"
}

command -v apt-get >/dev/null || skip "this is neither Debian nor Ubuntu"
ms_as_root true || skip "a chroot needs root, or sudo without a password"

in_chroot deb-build.sh OUT="$out"
rc=$?
((rc != 77)) || skip "see above"
if ((rc != 0)) || ! compgen -G "$out/*.deb" >/dev/null; then
	ms_say "FAILED   the package is built"
	ms_say "0 passed, 1 failed"
	exit 1
fi
for deb in "$out"/*.deb; do
	cp "$deb" "$DISTDIR/"
	ms_say "ok       $(basename "$deb") is built"
	in_chroot deb-try.sh IN="$deb" || rc=1
done
exit $rc
