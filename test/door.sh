#!/bin/bash
#
# test/door.sh: make test-door
#
# make demo, make test, make installcheck and README's quick start on machines
# in ordinary and odd states (door/state.sh says which), each in a throw-away
# chroot of Debian 12, and of Debian 13 where nothing is installed yet; the quick
# start on Ubuntu 24.04, too.  On Ubuntu: of the machine's release.  One more at
# once than there are processors.  Ends with a table, and the line "N passed,
# N failed".  Some 20 minutes on two processors, and some 3 GB below
# /var/cache/missing_symbol-chroots, which are kept for the next time.
#
# State "ended" is of this machine: what is done in a chroot ends when its user
# does, whatever the signal.
#
# Environment (or "make test-door NAME=..."):
#	STATE		one of them, or some; NAME@RELEASE in that release
#	CLEAN=1		new chroots
#	JOBS		how many at once
#	RESULTS		a file for the table of test-all.sh

MS_PROGRAM="make test-door"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/lib.sh"

# Where nothing is installed, and where all is that make test needs
BARE="bare bare_user quickstart libpq bare_no_sudo interrupted"
READY="installcheck majors signals slow checkout user zombies environment requests
	path umask tmpdir noexec no_server installcheck_lacks"
# of this machine
HERE="ended"

scratch=
ms_scratch scratch
codename=$(sed -n 's/^VERSION_CODENAME="*\([^"]*\).*/\1/p' /etc/os-release)
states=${STATE:-}
if [ -z "$states" ]; then
	case $codename in
		bookworm) other=trixie ;;
		trixie) other=bookworm ;;
		*) other= ;;
	esac
	# What takes long comes first; of the first ones each makes a chroot.  The
	# quick start is one at a time.
	states="bare ${READY%% *} ${other:+quickstart@$other bare@$other} ${READY#* }"
	states+=" ${other:+quickstart@noble bare_user@$other} ${BARE#bare} $HERE"
fi
for state in $states; do
	case " $(echo $BARE $READY $HERE) " in
		*" ${state%@*} "*) ;;
		*) ms_die "there is no state \"$state\"; there are: $(echo $BARE $READY $HERE)" ;;
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

# Whatever ends who runs something in a chroot ends that, and no copy stays.
state_ended()
{
	local dir=$scratch/ended token=door.$$ signal pid tries left begin
	local -a run=(env "CHROOTS=$dir" "MIRROR=${MIRROR:-}" bash
		"$MS_TOP/test/chroot.sh" run none test/door/state.sh STATE=waits)

	ms_is_root || run=(sudo -n "${run[@]}")
	mkdir "$dir"
	ln -s "${CHROOTS:-/var/cache/missing_symbol-chroots}/none" "$dir/none"
	echo "$token" >"$dir/token"
	for signal in KILL TERM HUP; do
		# that cannot be passed on
		[ "$signal" != KILL ] || ms_is_root || continue
		begin=$SECONDS
		: >"$dir/log"
		"${run[@]}" TOKEN="$token" </dev/null >"$dir/log" 2>&1 &
		pid=$!
		until grep -q '^waits' "$dir/log" || ! kill -0 $pid 2>/dev/null; do
			sleep 0.1
		done
		left=
		grep -q '^waits' "$dir/log" || left="it did not run: $(tail -n 3 "$dir/log")"
		ms_as_root kill "-$signal" $pid 2>/dev/null
		for ((tries = 0; tries < 600; tries++)); do
			ms_as_root grep -qsF -f "$dir/token" /proc/[0-9]*/cmdline || break
			sleep 0.1
		done
		if ((tries == 600)); then
			left+=$(ms_as_root grep -lsF -f "$dir/token" /proc/[0-9]*/cmdline)
			ms_as_root kill -KILL $pid
		fi
		wait $pid
		if [ "$signal" = KILL ]; then
			# the next run removes it, where it comes to the same number
			ms_as_root rm -rf --one-file-system "$dir"/none.run*[0-9]
		else
			left+=$(cd "$dir" && compgen -G 'none.run*[0-9]')
		fi
		if [ -z "$left" ]; then
			ms_say "ok       ended: SIG$signal, $((SECONDS - begin)) s"
		else
			ms_say "FAILED   ended: SIG$signal, $((SECONDS - begin)) s"
			ms_say "    $left"
		fi
	done
}

# STATE, with what it prints in its log and its rows in its table
run_state()
{
	local name=${1%@*} log=$scratch/$1.log where rc begin=$SECONDS

	where=$(where "$1")
	{
		# a server on the usual port, and the network is everybody's
		[ "$name" != quickstart ] || flock 6
		if [ "$name" = ended ]; then
			# who is killed is told of there
			state_ended 2>/dev/null
		else
			"${chroot[@]}" run "$where" test/door/state.sh STATE="$name" \
				</dev/null 2>&1
		fi
	} 6>"$scratch/port" >"$log"
	rc=$?
	sed -i "s/^\(ok\|FAILED\|SKIPPED\)\( *\)$name: /\1\2$1: /" "$log"
	if ((rc == 77)); then
		ms_say "SKIPPED  $1: $(tail -n 1 "$log")" >>"$log"
	elif ! grep -qE '^(ok|FAILED|SKIPPED) ' "$log"; then
		ms_say "FAILED   $1: nothing was tried" >>"$log"
	fi
	times >"$log.times"
	ms_say "--- $1, $((SECONDS - begin)) s, of processors $(
		sed -n '2s/\.[0-9]*s//gp' "$log.times")
$(cat "$log")"
}

if [ -n "${CLEAN:-}" ]; then
	for state in $states; do
		where "$state"
	done | sort -u | while read -r where; do
		"${chroot[@]}" clean "$where" </dev/null
	done
fi

# one more, as they wait for the network and for time, too
jobs=${JOBS:-$(($(nproc) + 1))}
for state in $states; do
	while (($(jobs -rp | wc -l) >= jobs)); do
		wait -n
	done
	run_state "$state" &
done
wait
for state in $states; do
	grep -E '^(ok|FAILED|SKIPPED) ' "$scratch/$state.log"
done >"$scratch/table"

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
