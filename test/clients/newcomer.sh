#!/bin/bash
#
# test/clients/newcomer.sh: how long a newcomer takes from nothing to the first
# count, the first limited call and the first profile
#
#	bash test/chroot.sh run none[-RELEASE] test/clients/newcomer.sh [PAGES="django ..."]
#
# For root, in a throw-away chroot where nothing is installed: a user who may use
# sudo does README's Install, and then each page of doc/clients in its order, word
# for word, with what it says is to be done at first.  Prints how many seconds each
# step took (of the machine: nobody reads or types): with a page, all has to be done
# within ten minutes.  Ends with "N passed, N failed".  IN=npm.tar is npm's cache
# (a directory .npm), for where a chroot does not reach the registry.
#
# COMMANDS="make demo|make test" does, instead, what README begins with, and these
# commands, each line with the second when it came: the first result, a line with
# "ok" or "most missed", has to be there within ten minutes, when the command is ended
# if it runs still.

set -u
umask 022
PAGES=${PAGES:-django activerecord node-postgres}
passed=0
failed=0

as_dev() { runuser -l dev -c "export DEBIAN_FRONTEND=noninteractive; $1" </dev/null; }

{ apt-get -q update && apt-get -q -y install sudo python3-minimal; } >/tmp/log 2>&1 || {
	tail -n 3 /tmp/log
	exit 77
}
rm -f /usr/sbin/policy-rc.d
echo 'APT::Get::Assume-Yes "true";' >/etc/apt/apt.conf.d/91yes
useradd -m -s /bin/bash dev
echo 'dev ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/dev
cp -R /srv/missing_symbol /home/dev/src
if [ -e /srv/in/npm.tar ]; then
	tar -C /home/dev -xf /srv/in/npm.tar
	echo offline=true >/home/dev/.npmrc
fi
chown -R dev:dev /home/dev

echo "A newcomer, on $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release); load $(cut -d ' ' -f 1 /proc/loadavg)"
if [ -n "${COMMANDS:-}" ]; then
	begin=$SECONDS
	as_dev "$(sed -n '/^```sh/,/^```/{s/#.*//;/^sudo apt/p;/^```$/q}' /srv/missing_symbol/README.md)" >/tmp/log 2>&1
	echo "$((SECONDS - begin)) s for its first line"
	IFS='|' read -r -a commands <<<"$COMMANDS"
	for command in "${commands[@]}"; do
		echo "$command:"
		first=
		end=
		begin=$SECONDS
		while read -r line; do
			printf '%6d s  %s\n' $((SECONDS - begin)) "$line"
			[[ -n $first || ! $line =~ (^|[. ])ok( |$)|most\ missed ]] || first=$((SECONDS - begin))
			[[ $line =~ ^ended\ [0-9]+$ ]] && end=${line#ended }
		done < <(as_dev "cd src && timeout -k 60 600 $command 2>&1; echo ended \$?")
		# 124: it was ended
		if [[ -n $first && $first -lt 600 && ${end:-1} =~ ^(0|124)$ ]]; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
		fi
		echo "$command: the first result after ${first:-no} s; it ended with ${end:-nothing}, after $((SECONDS - begin)) s"
	done
	echo "$passed passed, $failed failed"
	((failed == 0))
	exit
fi
# without psql, where it ends
{
	echo "set -e; cd src"
	sed -n '/^## Install/,/^## Quick/p' /srv/missing_symbol/README.md | sed -n '/^```sh/,/^```/p' | sed '/^```/d; /^psql$/d'
} >/home/dev/install.sh
begin=$SECONDS
as_dev "bash install.sh" >/tmp/log 2>&1 || {
	tail -n 20 /tmp/log
	echo "0 passed, 1 failed"
	exit 1
}
install=$((SECONDS - begin))
echo "$install s for README's Install"
for page in $PAGES; do
	echo "$page.md:"
	begin=$SECONDS
	as_dev "mkdir -p $page; NODE_PATH=~/$page/node_modules PAGES=~/src/doc/clients \
		python3 src/test/clients/page.py src/doc/clients/$page.md newcomer $page" && rc=0 || rc=1
	echo "$((SECONDS - begin)) s for it, $((install + SECONDS - begin)) s in all"
	if ((rc == 0 && install + SECONDS - begin < 600)); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
((failed == 0))
