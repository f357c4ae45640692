#!/bin/bash
#
# test/hard/differential.sh: a part of make test-hard
#
# test/t/differential.pl for half an hour: random tables, counted by this
# extension and by plain INSERT ... ON CONFLICT.  SEED repeats a run.

# shellcheck source=test/hard/tap.sh
. "$(dirname "$0")/tap.sh"

hard_tap differential test/t/differential.pl DIFFERENTIAL_MINUTES 30 \
	DIFFERENTIAL_SEED
