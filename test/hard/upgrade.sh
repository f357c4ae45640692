#!/bin/bash
#
# test/hard/upgrade.sh: pg_upgrade
#
# From the PostgreSQL of one release of the distribution to that of the next,
# side by side in a throw-away chroot of the newer one (upgrade-try.sh):
# configuration, counters and spilled increments stay what they are.
#
# Environment: OLD, the release that has the older one (bookworm), and NEW,
# the version that is upgraded to (17).
#
# Ends with "N passed, N failed"; exit status 77: cannot be done here.

MS_PROGRAM="upgrade.sh"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

OLD=${OLD:-bookworm}
NEW=${NEW:-17}

skip()
{
	ms_say "SKIPPED  pg_upgrade: $*"
	exit 77
}

command -v apt-get >/dev/null || skip "this is neither Debian nor Ubuntu"
ms_as_root true || skip "a chroot needs root, or sudo without a password"
run=(env "CHROOTS=${CHROOTS:-}" "MIRROR=${MIRROR:-}"
	bash "$MS_TOP/test/chroot.sh" run "$NEW" test/hard/upgrade-try.sh
	OLD="$OLD" NEW="$NEW")
ms_is_root || run=(sudo -n "${run[@]}")
"${run[@]}"
rc=$?
((rc != 77)) || skip "see above"
exit $rc
