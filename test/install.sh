#!/bin/bash
#
# test/install.sh PACKAGE...: installs Debian packages, for lib.sh
#
# For root.  Of what it installs no server is started, or enabled for the next
# boot, and no database cluster is made: a test that needs pgbouncer's program
# is no reason to run one.  Whatever the signal, a step of apt is done to its
# end; the caller ends after that.

set -u
umask 022
trap '' INT TERM HUP QUIT PIPE
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

# In a session of its own: apt gives dpkg the signals back that we ignore, and a
# terminal sends them to all of its group.
apt=(setsid --wait apt-get -q -y -o DPkg::Lock::Timeout=300)
policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.d
ours=()

# What starts at boot, by systemd and by sysvinit
enabled()
{
	find /etc/systemd/system -path '*.wants/*' -type l -name '*.service' \
		-printf 'systemd %f\n' 2>/dev/null
	find /etc/rc[2-5].d -name 'S*' -printf 'sysv %f\n' 2>/dev/null |
		sed 's/ S[0-9]*/ /'
}

# invoke-rc.d asks this program, where there is one
if ! [ -e $policy ]; then
	printf '#!/bin/sh\n# of a test run; to be removed\nexit 101\n' >$policy &&
		chmod 755 $policy
	ours+=("$policy")
fi
if ! [ -e /var/lib/dpkg/info/postgresql-common.list ] ||
	[ -d $clusters ]; then
	mkdir -p $clusters &&
		echo "create_main_cluster = false" >$clusters/missing_symbol.conf
	ours+=("$clusters/missing_symbol.conf")
fi
before=$(enabled | sort -u)

# Lists may be too old; then it works the second time.
"${apt[@]}" --no-install-recommends install "$@" </dev/null ||
	{ "${apt[@]}" update </dev/null &&
		"${apt[@]}" --no-install-recommends install "$@" </dev/null; }
rc=$?

enabled | sort -u | comm -13 <(printf '%s\n' "$before") - |
	while read -r kind name; do
		case $kind in
			systemd) deb-systemd-helper disable "$name" ;;
			sysv) update-rc.d "$name" disable ;;
		esac </dev/null
	done
rm -f "${ours[@]}"
exit $rc
