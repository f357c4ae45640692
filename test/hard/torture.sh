#!/bin/bash
#
# test/hard/torture.sh: a part of make test-hard
#
# test/t/torture.pl for a quarter of an hour: tables of every kind under eight
# clients, DDL, REINDEX CONCURRENTLY, cancels, terminates and kill -9, against
# an independent ledger.  SEED repeats what is done.

# shellcheck source=test/hard/tap.sh
. "$(dirname "$0")/tap.sh"

hard_tap torture test/t/torture.pl TORTURE_MINUTES 15 TORTURE_SEED
