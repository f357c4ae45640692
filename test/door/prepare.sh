#!/bin/bash
#
# test/door/prepare.sh: what make test and make demo install, and nothing else;
# for chroot.sh

MS_PROGRAM="make test-door"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

ms_setup tap nm=binutils readelf=binutils clients
