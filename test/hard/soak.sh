#!/bin/bash
#
# test/hard/soak.sh: a part of make test-hard
#
# test/t/crash.pl for a quarter of an hour: counters of every kind under load,
# and a server that is killed or stopped again and again, at a random pace.

# shellcheck source=test/hard/tap.sh
. "$(dirname "$0")/tap.sh"

hard_tap soak test/t/crash.pl SOAK_MINUTES 15
