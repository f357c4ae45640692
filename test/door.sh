#!/bin/bash
#
# test/door.sh: make test-door
#
# make demo, make test, make installcheck and README's quick start on machines
# in ordinary and odd states (door/state.sh says which), each in a throw-away
# chroot of Debian 12, and of Debian 13 where nothing is installed yet.  On
# Ubuntu: of the machine's release.  Ends with a table, and the line
# "N passed, N failed".  Some 20 minutes, and some 2 GB below
# /var/cache/missing_symbol-chroots, which are kept for the next time.
#
# Environment (or "make test-door NAME=..."):
#	STATE		one of them, or some; NAME@RELEASE in that release
#	CLEAN=1		new chroots
#	RESULTS		a file for the table of test-all.sh

MS_PROGRAM="make test-door"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/lib.sh"

# Where nothing is installed, and where all is that make test needs
BARE="bare bare_user bare_no_sudo libpq interrupted quickstart"
READY="root user path tmpdir noexec umask environment checkout majors no_server
	requests zombies slow signals installcheck installcheck_lacks"

scratch=
ms_scratch scratch
codename=$(sed -n 's/^VERSION_CODENAME="*\([^"]*\).*/\1/p' /etc/os-release)
states=${STATE:-}
if [ -z "$states" ]; then
	states="$BARE"
	case $codename in
		bookworm) states+=" bare@trixie bare_user@trixie quickstart@trixie" ;;
		trixie) states+=" bare@bookworm bare_user@bookworm quickstart@bookworm" ;;
	esac
	states+=" $READY"
fi
for state in $states; do
	case " $(echo $BARE $READY) " in
		*" ${state%@*} "*) ;;
		*) ms_die "there is no state \"$state\"; there are: $(echo $BARE $READY)" ;;
	esac
done

ms_need debootstrap=debootstrap unshare=util-linux wget=wget
ms_install
chroot=(env "CHROOTS=${CHROOTS:-}" "MIRROR=${MIRROR:-}" bash "$MS_TOP/test/chroot.sh")
ms_as_root true || {
	ms_say "SKIPPED  chroots need root, or sudo without a password"
	exit 77
}
ms_is_root || chroot=(sudo -n "${chroot[@]}")

# The chroot of a state
where()
{
	local name=${1%@*} release=${1#*@} where=door

	case " $(echo $BARE) " in *" $name "*) where=none ;; esac
	[ "$release" = "$1" ] || where+=-$release
	echo "$where"
}

# STATE, with what it prints in the log
run_state()
{
	local name=${1%@*} where

	where=$(where "$1")
	"${chroot[@]}" run "$where" test/door/state.sh STATE="$name" \
		</dev/null 2>&1 | sed -u "s/^\(ok\|FAILED\|SKIPPED\)\( *\)$name: /\1\2$1: /" |
		tee "$scratch/log"
	return "${PIPESTATUS[0]}"
}

if [ -n "${CLEAN:-}" ]; then
	for state in $states; do
		where "$state"
	done | sort -u | while read -r where; do
		"${chroot[@]}" clean "$where" </dev/null
	done
fi
: >"$scratch/table"
for state in $states; do
	ms_say "--- $state"
	ms_wait_for run_state "$state"
	rc=$?
	if ((rc == 77)); then
		ms_say "SKIPPED  $state: $(tail -n 1 "$scratch/log")" |
			tee -a "$scratch/table"
	elif ! grep -qE '^(ok|FAILED|SKIPPED) ' "$scratch/log"; then
		ms_say "FAILED   $state: nothing was tried" | tee -a "$scratch/table"
	fi
	grep -E '^(ok|FAILED|SKIPPED) ' "$scratch/log" >>"$scratch/table"
done

ms_say ""
ms_say "state x command x result"
sed -E 's/^([A-Za-z]+) +([^:]*): (.*)/\2\t\3\t\1/' "$scratch/table" |
	while IFS=$'\t' read -r state command result; do
		printf '%-22s %-50s %s\n' "$state" "$command" "$result"
	done
passed=$(grep -c '^ok ' "$scratch/table")
failed=$(grep -c '^FAILED ' "$scratch/table")
skipped=$(grep -c '^SKIPPED ' "$scratch/table")
if [ -n "${RESULTS:-}" ]; then
	printf 'door %d %d %d %d\n' "$passed" "$failed" "$skipped" "$SECONDS" >>"$RESULTS"
fi
ms_say "$SECONDS s"
ms_say "$passed passed, $failed failed"
((passed + failed > 0)) || exit 77
((failed == 0 && passed > 0))
