#!/bin/bash
#
# test/door/state.sh: make demo, make test and make installcheck on a machine
# in one state, for door.sh
#
# For root, in a throw-away chroot (chroot.sh run): each function state_NAME
# brings the machine into its state and tries commands there.  A command that
# is tried must end with the status and say what it should, say nothing of
# what a shell or a library misses, and leave behind no process, no shared
# memory, and no file, owner or mode but what apt installed.
#
# Environment:
#	STATE		the name
#
# Prints a line "ok STATE COMMAND, N s" or "FAILED ..." for each command.

set -u
umask 022

SRC=/srv/missing_symbol
LOG=/door/log
PASSED='^[1-9][0-9]* passed, 0 failed'
DEMO='^and [0-9]+ counters of'
# so much of the suites as tells that they can run
SMALL=(SUITES="regress tap" REGRESS="counter findings"
	PROVE_TESTS=test/t/prune.pl)

mkdir -p /door
unset DEBIAN_FRONTEND LC_ALL
apt_may=0								# what is tried may install packages
skips_may=0								# it may skip tests

say() { printf '%s\n' "$*"; }

# ---------------------------------------------------------------------------
# Trying a command
# ---------------------------------------------------------------------------

files()
{
	find / \( -path /proc -o -path /sys -o -path /dev -o -path /door \
		-o -path /srv/in -o -path /srv/out -o -path /var/cache/apt/archives \
		-o -path /run/sudo -o -path /var/lib/sudo \
		-o -name 'missing_symbol-demo-*.html' \) -prune \
		-o -type f -printf '%p\tf %m %u:%g %s %T@\n' \
		-o -type d -printf '%p\td %m %u:%g\n' \
		-o -printf '%p\t%y %m %u:%g %l\n' 2>/dev/null | sort
}

# What changed: "< PATH was" and "> PATH is".  What packages brought is left
# out where a command may install some.
changed()
{
	comm -3 <(sort /door/before) <(files) |
		if ((apt_may)); then
			cat /var/lib/dpkg/info/*.list 2>/dev/null >/door/packaged
			perl -e '
				open my $list, "<", "/door/packaged" or die;
				my %packaged = map { chomp; $_ => 1 } <$list>;
				while (<STDIN>)
				{
					/^\t?(\/[^\t]*)/ or next;
					my $path = $1;
					next if $packaged{$path} || $packaged{$path =~ s{^/(bin|sbin|lib|lib64)/}{/usr/$1/}r} || $packaged{$path =~ s{^/usr}{}r};
					next if $path =~ m{^/(?:var/(?:lib|cache|log)|etc|run|usr/share/(?:man|mime|info))(?:/|$)};
					next if m{ /etc/alternatives/} || $path =~ m{\.libpq-dev$|^/usr/local/lib/python|/__pycache__\b|\.py[co]$|/gconv/};
					print;
				}'
		else
			cat
		fi
}

# Processes but us and who started us
processes()
{
	local proc pid stat

	for proc in /proc/[0-9]*; do
		pid=${proc#/proc/}
		read -r stat 2>/dev/null <"$proc/stat" || continue
		stat=${stat##*) }
		[ "${stat%% *}" = Z ] && continue
		case " ${known:-} $$ $BASHPID " in *" $pid "*) continue ;; esac
		printf '%s ' "$pid: $(tr '\0' ' ' <"$proc/cmdline" 2>/dev/null |
			cut -c 1-70);"
	done
}

begin_try()
{
	files >/door/before
	known=
	known=$(cd /proc && echo [0-9]*)
	begin=$SECONDS
}

# Judges what was tried: NAME STATUS WANTED PATTERN
end_try()
{
	local what=$1 rc=$2 want=$3 pattern=$4 wrong=() left

	[ "$rc" = "$want" ] || [ "$want" = any ] ||
		wrong+=("exit status $rc, not $want")
	grep -Eq "$pattern" $LOG || wrong+=("does not say \"$pattern\"")
	left=$(grep -E 'command not found|unbound variable|syntax error|No such file|[Ss]etting locale|Permission denied|cannot (access|open|create|change)' \
		$LOG | grep -v 'psql: error' | head -n 3)
	[ -z "$left" ] || wrong+=("says: $left")
	if ! ((skips_may)); then
		left=$(grep '^SKIPPED' $LOG | grep -v 'make dist\|citus\|Citus' | head -n 3)
		[ -z "$left" ] || wrong+=("skips: $left")
	fi
	left=$(processes)
	[ -z "$left" ] || wrong+=("processes stay: $left")
	left=$(ls /dev/shm)$(sed 1d /proc/sysvipc/shm)
	[ -z "$left" ] || wrong+=("shared memory stays: $left")
	left=$(changed | head -n 10)
	[ -z "$left" ] || wrong+=("files changed: $left")
	if ((${#wrong[@]} == 0)); then
		say "ok       $STATE: $what, $((SECONDS - begin)) s"
	else
		say "FAILED   $STATE: $what, $((SECONDS - begin)) s"
		printf '    %s\n' "${wrong[@]}"
		grep -E '^ *(FAILED|not ok|#)' $LOG | head -n 30 | sed 's/^/    : /'
		tail -n 30 $LOG | sed 's/^/    | /'
	fi
}

# NAME WANTED PATTERN COMMAND...
try()
{
	local what=$1 want=$2 pattern=$3

	shift 3
	begin_try
	"$@" >$LOG 2>&1 </dev/null
	end_try "$what" $? "$want" "$pattern"
}

# A condition, said in words; it may be about the log of what was tried.
holds()
{
	local what=$1

	shift
	if "$@" >/door/holds 2>&1 </dev/null; then
		say "ok       $STATE: $what"
	else
		say "FAILED   $STATE: $what"
		tail -n 20 /door/holds | sed 's/^/    | /'
	fi
}

# ---------------------------------------------------------------------------
# Preparing
# ---------------------------------------------------------------------------

apt()
{
	DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends "$@" \
		</dev/null >/door/apt 2>&1 || {
		tail -n 20 /door/apt
		say "FAILED   $STATE: apt-get $*"
		exit 1
	}
}

# As on a machine where services may start; unlike with MODE "no lists" apt
# knows what there is.
fresh()
{
	rm -f /usr/sbin/policy-rc.d
	apt update
	apt install make
	[ -z "${no_lists:-}" ] || rm -rf /var/lib/apt/lists/*
}

# An ordinary user, with the sources in his home
user()
{
	useradd -m -s /bin/bash dev
	cp -R $SRC /home/dev/src
	chown -R dev: /home/dev/src
}

sudoer()
{
	user
	echo "dev ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/dev
	chmod 440 /etc/sudoers.d/dev
}

as_user() { runuser -l dev -c 'cd "$HOME/src" && "$@"' -- sh "$@"; }
as_root() { (cd $SRC && "$@"); }

demo_and_test()
{
	local who=$1

	shift
	try "make demo" 0 "$DEMO" "$who" "$@" make demo
	try "make test" 0 "$PASSED" "$who" "$@" make test "${SMALL[@]}"
}

nothing_enabled()
{
	! { find /etc/systemd/system -path '*.wants/*' -type l
		find /etc/rc[2-5].d -name 'S*'
		find /etc/postgresql -mindepth 2
		ls /usr/sbin/policy-rc.d
		ls /etc/postgresql-common/createcluster.d/*; } 2>/dev/null |
		grep -E 'postgresql|pgbouncer|redis|policy|createcluster.d/m'
}

# ---------------------------------------------------------------------------
# States: nothing installed
# ---------------------------------------------------------------------------

# a new machine, or container: by root, and by a user with sudo
state_bare()
{
	fresh
	apt_may=1
	SMALL[2]="PROVE_TESTS=test/t/prune.pl test/t/pgbouncer.pl test/t/plproxy.pl test/t/findings.pl"
	try "make demo" 0 "$DEMO" as_root make demo
	holds "its daily report has lines" grep -q '^  madeup-[^,]*,[0-9A-F]*,madeup-' $LOG
	holds "it says that there is no cluster" grep -q \
		"^  sudo pg_createcluster $(default_major) main --start" $LOG
	try "make test" 0 "$PASSED" as_root make test "${SMALL[@]}"
	holds "no server is enabled" nothing_enabled
}

# The N-th block of a language in README
readme()
{
	perl -e 'my ($n, $language, $in) = splice @ARGV, 0, 2;
		while (<>)
		{
			if ($in) { last if /^```$/; print; }
			elsif (/^```$language$/ && !--$n) { $in = 1; }
		}' "$1" "$2" $SRC/README.md
}

# README's first lines, word for word; "yes" to what apt asks.  Of make test, as
# much as tells that it runs.
state_bare_user()
{
	rm -f /usr/sbin/policy-rc.d
	apt update
	apt install sudo zip
	rm -rf /var/lib/apt/lists/*
	echo 'APT::Get::Assume-Yes "true";' >/etc/apt/apt.conf.d/91yes
	sudoer
	rm -rf /home/dev/src
	cp -R $SRC /srv/missing_symbol-1
	(cd /srv && zip -qr /home/dev/missing_symbol-1.zip missing_symbol-1)
	rm -rf /srv/missing_symbol-1
	{
		echo "set -e; export TERM=dumb"
		readme 1 sh | sed 's/^make test /make test SUITES="regress tap" REGRESS=counter PROVE_TESTS=test\/t\/pgbouncer.pl /'
	} >/home/dev/first.sh
	apt_may=1
	begin_try
	runuser -l dev -c 'bash first.sh' >$LOG 2>&1 </dev/null
	rc=$?
	rm -rf /home/dev/missing_symbol-1
	end_try "README's first lines" $rc 0 "$PASSED"
	holds "the demo was tried" grep -Eq "$DEMO" $LOG
	holds "servers are named" grep -q "^Servers among them.*pgbouncer" $LOG
	holds "no server is enabled" nothing_enabled
}

# The quick start, word for word, on a new machine, by a user with sudo
state_quickstart()
{
	rm -f /usr/sbin/policy-rc.d
	apt update
	apt install sudo
	rm -rf /var/lib/apt/lists/*
	echo 'APT::Get::Assume-Yes "true";' >/etc/apt/apt.conf.d/91yes
	sudoer
	{
		echo "set -e; cd src"
		readme 2 sh | sed 's/^psql$/psql -XAt -v ON_ERROR_STOP=1 -f ..\/first.sql/'
	} >/home/dev/first.sh
	readme 2 sql >/home/dev/first.sql
	holds "README has it" bash -c 'grep -q "CREATE EXTENSION" /home/dev/first.sh &&
		grep -q "psql -XAt" /home/dev/first.sh && grep -q increment_many /home/dev/first.sql'
	runuser -l dev -c 'bash first.sh' >$LOG 2>&1 </dev/null
	holds "the quick start" test $? = 0
	holds "its first counts" bash -c "tr '\n' ' ' <$LOG | grep -qE ' 1 2 5 3.incremented.3.* 2 \$'"
	holds "no warning" bash -c "! grep -E '^psql.*WARNING|ERROR: ' $LOG"
}

state_bare_no_sudo()
{
	local line

	no_lists=1
	fresh
	user
	try "make demo without rights" 2 'packages are missing. Please run "sudo apt-get update' \
		as_user make demo
	holds "one line" test "$(grep -c . $LOG)" -le 2
	try "make test without rights" 2 'packages are missing. Please run "sudo apt-get update' \
		as_user make test
	holds "one line" test "$(grep -c . $LOG)" -le 2
	line=$(sed -n 's/.*Please run "\([^"]*\)".*/\1/p' $LOG)
	rm -f /etc/init.d/postgresql
	export DEBIAN_FRONTEND=noninteractive
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	holds "the line works" bash -c "${line//sudo /}"
	unset DEBIAN_FRONTEND
	try "make test" 0 "$PASSED" as_user make test "${SMALL[@]}"
}

# PGXS is there through the clients, the headers are not
state_libpq()
{
	rm -f /usr/sbin/policy-rc.d
	apt update
	apt install make postgresql-common
	mkdir -p /etc/postgresql-common/createcluster.d
	echo "create_main_cluster = false" \
		>/etc/postgresql-common/createcluster.d/no.conf
	apt install "postgresql-$(default_major)" libpq-dev
	apt_may=1
	holds "PGXS without headers" test ! -e "$(pg_config --includedir-server)/postgres.h"
	SMALL[2]="PROVE_TESTS=test/t/prune.pl test/t/plproxy.pl"
	demo_and_test as_root
	holds "the machine's headers are packages'" test -z "$(
		find /usr/include/postgresql -type l)"
}

default_major()
{
	bash $SRC/test/chroot.sh major
}

# Ctrl-C while apt works: it ends after that step, which is whole.
state_interrupted()
{
	local pid

	fresh
	apt_may=1
	begin_try
	(cd $SRC && exec perl -e '$SIG{INT} = "DEFAULT"; setpgrp; exec @ARGV' \
		make test) >$LOG 2>&1 </dev/null &
	pid=$!
	until grep -qE '^  (Unpacking|Setting up)' $LOG || ! kill -0 $pid; do
		sleep 0.2
	done
	kill -INT -- -$pid
	wait $pid
	end_try "Ctrl-C while packages are installed" $? any 'Stopping after this step'
	holds "it went no further" bash -c "! grep -qE '^missing_symbol on|^---' $LOG"
	holds "no package is half installed" bash -c '[ -z "$(dpkg --audit)" ]'
	holds "the step was done" dpkg -s "postgresql-$(default_major)"
	holds "no server is enabled" nothing_enabled
}

# ---------------------------------------------------------------------------
# States: all is there that make test installs (MAJOR door)
# ---------------------------------------------------------------------------

state_user()
{
	user
	SMALL=("SUITES=build regress general isolation tap" "${SMALL[2]}")
	demo_and_test as_user
}

state_path()
{
	local dir="/home/dev/it's a \"dir\" #1 \$HOME ü"

	user
	mv /home/dev/src "$dir"
	as_user() { runuser -l dev -c 'cd "$1" && shift && "$@"' -- sh "$dir" "$@"; }
	SMALL[0]="SUITES=build ${SMALL[0]#SUITES=}"
	demo_and_test as_user
	try "from elsewhere" 0 "$DEMO" as_root make -C / -f "$dir/Makefile" demo
}

state_tmpdir()
{
	mkdir -m 1777 "/var/tmp/a dir's"
	demo_and_test as_root env "TMPDIR=/var/tmp/a dir's"
	try "TMPDIR that is not there" 0 "$DEMO" as_root env TMPDIR=/nowhere make demo
}

state_noexec()
{
	mount -t tmpfs -o noexec,mode=1777 tmp /tmp
	user
	demo_and_test as_user
	umount /tmp
}

state_umask()
{
	user
	chmod -R go-rwx /home/dev/src $SRC
	as_user() { runuser -l dev -c 'umask 077 && cd "$HOME/src" && "$@"' -- sh "$@"; }
	as_root() { (umask 077 && cd $SRC && "$@"); }
	demo_and_test as_user
	demo_and_test as_root
}

state_environment()
{
	apt update
	apt install locales
	localedef -i tr_TR -f UTF-8 tr_TR.UTF-8
	mkdir -p /nonsense
	demo_and_test as_root env LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8 \
		MAKEFLAGS=-j8 CDPATH=/usr:/etc GREP_OPTIONS=--color=always \
		PGHOST=nowhere.invalid PGPORT=1 PGUSER=nobody \
		PGOPTIONS='-c nonsense=1' PGDATABASE=none PGDATA=/nonsense \
		PGSERVICE=none PGSSLMODE=verify-full PGCLIENTENCODING=latin1 \
		GIT_DIR=/nonsense
	demo_and_test as_root env LANG=xx_YY.UTF-8
}

# every checkout must do: worktree, read-only, archive
state_checkout()
{
	local git=(git -c user.name=door -c user.email=door -c init.defaultBranch=main)

	apt update
	apt install git unzip
	user
	cp -R $SRC /home/dev/repo
	(cd /home/dev/repo && printf '*.o\n*.so\n.built_for\n' >.gitignore &&
		"${git[@]}" init -q && "${git[@]}" add -A &&
		"${git[@]}" commit -qm all && "${git[@]}" worktree add -q ../tree) || return
	chown -R dev: /home/dev/repo /home/dev/tree
	in_tree() { runuser -l dev -c 'cd tree && "$@"' -- sh "$@"; }
	try "worktree: make test, build" 0 "$PASSED" in_tree make test SUITES=build
	holds "make dist was tried" bash -c "grep -q '^ok *make dist' $LOG"
	try "no git: make dist" 2 'no git checkout' as_user make dist
	runuser -l dev -c 'cd tree && make dist DISTDIR=..' >/door/apt 2>&1
	rm -rf /home/dev/src
	runuser -l dev -c 'unzip -q missing_symbol-*.zip && rm *.zip && mv missing_symbol-* src'
	demo_and_test as_user
	mount --bind /home/dev/tree /home/dev/src
	mount -o remount,bind,ro /home/dev/src
	demo_and_test as_user
	umount /home/dev/src
}

# An older major, first in PATH; and objects that were built for it
state_majors()
{
	local old=13 new path

	new=$(default_major)
	[ "$new" = 15 ] || { say "SKIPPED  $STATE: for bookworm"; return; }
	sed 's/bookworm/bullseye/' /etc/apt/sources.list \
		>/etc/apt/sources.list.d/old.list
	apt update
	apt install "postgresql-$old" "postgresql-server-dev-$old"
	path=/usr/lib/postgresql/$old/bin:$PATH
	# what goes with the older one is yet to be installed; bullseye has no
	# isolation tester, and PL/Proxy is another package there
	apt_may=1
	skips_may=1
	demo_and_test as_root env "PATH=$path"
	holds "it was the first in PATH" grep -q "^missing_symbol on PostgreSQL $old" $LOG
	demo_and_test as_root env PG_CONFIG="/usr/lib/postgresql/$new/bin/pg_config"
	holds "it was the one that was asked for" grep -q "^missing_symbol on PostgreSQL $new" $LOG
	cd $SRC || return
	make -s -j2 with_llvm=no PG_CONFIG="/usr/lib/postgresql/$old/bin/pg_config" >$LOG 2>&1
	make -s -j2 with_llvm=no PG_CONFIG="/usr/lib/postgresql/$new/bin/pg_config" install >$LOG 2>&1
	holds "make for one after make for the other loads" runuser -u postgres -- bash -c "
		PATH=/usr/lib/postgresql/$new/bin:\$PATH
		cd /tmp && initdb -D door.data -A trust -N >/dev/null &&
		echo \"LOAD 'missing_symbol'\" | postgres --single -D door.data \
			-c log_min_messages=error postgres 2>&1 | tee /dev/stderr | { ! grep -E 'ERROR|FATAL'; }"
}

# the headers, and no server
state_no_server()
{
	rm -f /usr/sbin/policy-rc.d
	apt update
	dpkg --purge --force-depends "postgresql-$(default_major)" \
		"postgresql-$(default_major)-plproxy" >/door/apt 2>&1
	apt_may=1
	demo_and_test as_root
	holds "no server is enabled" nothing_enabled
}

state_requests()
{
	try 'CC="gcc -m64"' 0 "$PASSED" as_root make test CC="gcc -m64" SUITES=regress REGRESS=counter
	holds "of one word" bash -c "! grep -q 'not found' $LOG"
	try 'CC=none' 2 'CC: "none --version" does not work' as_root make test CC=none
	try 'PROFILE=dev' 2 'PROFILE=dev' as_root make test PROFILE=dev
	try 'PROFILE=all' 0 "$PASSED" as_root make test PROFILE=all SUITES=regress REGRESS=counter
	try 'SUITES=nonsense' 2 'no suite "nonsense"' as_root make test SUITES="build nonsense"
	try 'PG_CONFIG=/nowhere' 2 'PG_CONFIG' as_root make demo PG_CONFIG=/nowhere
	try 'SIGHTINGS=/nowhere' 2 'SIGHTINGS' as_root make test SIGHTINGS=/nowhere
	mv /usr/bin/clang-* /door/
	cp -R $SRC /door/src
	try 'make without clang' 2 'with_llvm=no' make -C /door/src
	mv /usr/lib/postgresql/*/lib/pgxs /door/
	try 'make without PGXS' 2 'no PostgreSQL to build for' make -C /door/src
}

# Process 1 reaps nobody, as in a container without init.
state_zombies()
{
	local init='my $p = fork; if (!$p) { exec @ARGV } waitpid $p, 0; exit($? >> 8)'

	try "make test, crashes" 0 "$PASSED" as_root \
		unshare --pid --fork --mount-proc --kill-child perl -e "$init" \
		make test SUITES=tap PROVE_TESTS="test/t/spill.pl test/t/crash.pl"
}

# A machine with one processor that is four times slower: others have the most
# of it.
state_slow()
{
	local i burners=() one

	one=$(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/')
	taskset -cp "$one" $$ >/door/apt
	for ((i = 0; i < 3; i++)); do
		sh -c 'while :; do :; done' &
		burners+=($!)
	done
	try "make test" 0 "$PASSED" as_root make test SUITES="regress tap" \
		REGRESS="counter buffer" \
		PROVE_TESTS="test/t/profile_failures.pl test/t/pgbouncer.pl test/t/prune.pl"
	kill "${burners[@]}"
}

# A signal at every moment: TERM for make alone, as CI's cancel, the others for
# the group, as a terminal does it.
state_signals()
{
	local round signal delay goal pid target

	for round in TERM:0.2:demo TERM:1.5:test TERM:4:test HUP:2:demo HUP:6:test \
		INT:0.7:test INT:3:demo QUIT:5:test TERM:8:test TERM:11:test \
		HUP:9:test INT:12:test INT:16:demo TERM:16:test HUP:20:test; do
		IFS=: read -r signal delay goal <<<"$round"
		begin_try
		(cd $SRC && exec perl -e \
			'$SIG{$_} = "DEFAULT" foreach qw(INT QUIT); setpgrp; exec @ARGV' \
			make "$goal" SUITES=tap PROVE_TESTS=test/t/crash.pl) \
			>$LOG 2>&1 </dev/null &
		pid=$!
		sleep "$delay"
		target=-$pid
		[ "$signal" != TERM ] || target=$pid
		kill "-$signal" -- "$target"
		wait $pid 2>/dev/null
		end_try "make $goal, SIG$signal after $delay s" $? any ''
	done
}

# For state "ended" of door.sh: what no signal ends
state_waits()
{
	say waits
	exec perl -e '$SIG{$_} = "IGNORE" foreach qw(INT TERM HUP QUIT); sleep 1 while 1' "$TOKEN"
}

# ---------------------------------------------------------------------------
# States: make installcheck
# ---------------------------------------------------------------------------

# A server of Debian's, with its own port, locale and passwords, and a superuser
# with a name of his own: WHAT WANTED "ARGUMENTS OF MAKE" ARGUMENT OF INITDB...
installcheck_on()
{
	local what=$1 want=$2 arguments=$3 major

	shift 3
	major=$(default_major)
	if ! pg_createcluster -p 5999 "$major" door -- -A scram-sha-256 \
		--pwfile=/door/password "$@" >$LOG 2>&1; then
		say "FAILED   $STATE: pg_createcluster $*"
		cat $LOG
		return
	fi
	sed -i 's/peer$/scram-sha-256/' "/etc/postgresql/$major/door/pg_hba.conf"
	pg_ctlcluster "$major" door start >>$LOG 2>&1
	PGPASSWORD=secret psql -h localhost -p 5999 -U postgres -qc \
		'CREATE ROLE "Größe ""x""" SUPERUSER LOGIN PASSWORD '"'p:w'" postgres
	begin=$SECONDS
	# shellcheck disable=SC2086
	as_user env PGHOST=localhost PGPORT=5999 PGUSER='Größe "x"' \
		make installcheck PROVE_TESTS=test/t/prune.pl $arguments \
		>$LOG 2>&1 </dev/null
	rc=$?
	holds "$what, $((SECONDS - begin)) s" test $rc = "$want"
	[ $rc = "$want" ] ||
		grep -vE '\.\.\. ok|^ok ' $LOG | tail -n 60 | sed 's/^/    | /'
	holds "$what: isolation ran" grep -Eq 'waiter_time .*ok|ok .* waiter_time' $LOG
	holds "$what: TAP ran" grep -q '^Result: PASS' $LOG
	rm -rf /home/dev/src/{results,regression.*,tmp_check,output_iso}
	pg_dropcluster --stop "$major" door
}

state_installcheck()
{
	apt update
	apt install locales
	localedef -i tr_TR -f UTF-8 tr_TR.UTF-8
	user
	printf 'localhost:5999:*:Größe "x":p\\:w\n' >/home/dev/.pgpass
	chown dev: /home/dev/.pgpass
	chmod 600 /home/dev/.pgpass
	echo secret >/door/password
	chmod 644 /door/password
	as_root make -s -j2 with_llvm=no >$LOG 2>&1
	as_root make -s with_llvm=no install >$LOG 2>&1
	installcheck_on "locale C" 0 "" --locale=C --encoding=SQL_ASCII
	installcheck_on "locale tr_TR" 0 "" --locale=tr_TR.UTF-8
	installcheck_on "ICU" 0 "" --locale=C.UTF-8 --encoding=UTF8 \
		--locale-provider=icu --icu-locale=tr-TR
	echo "SELECT 'something else';" >>/home/dev/src/sql/counter.sql
	installcheck_on "a theme fails" 2 \
		"REGRESS=counter ISOLATION=waiter_time" --locale=C --encoding=UTF8
}

state_installcheck_lacks()
{
	try "no server" 2 'a running server' as_root make installcheck PG_CONFIG="$(pg_config --bindir)/pg_config"
	try "root" 2 'another user than root' as_root make installcheck
	chmod 755 $SRC
	try "postgres in root's checkout" 2 'a copy of these sources' \
		runuser -u postgres -- make -C $SRC installcheck
	dpkg --purge --force-depends libipc-run-perl >/door/apt 2>&1
	user
	try "no IPC::Run" 2 'libipc-run-perl' as_user make installcheck
}

# ---------------------------------------------------------------------------

"state_$STATE"
