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
# Ends with "N passed, N failed".

MS_PROGRAM="upgrade.sh"
PART=upgrade
# shellcheck source=test/hard/lib.sh
. "$(dirname "$0")/lib.sh"

OLD=${OLD:-bookworm}
NEW=${NEW:-17}

hard_run "$NEW" test/hard/upgrade-try.sh OLD="$OLD" NEW="$NEW"
hard_finish "from $OLD to $NEW"
