# shellcheck shell=bash
#
# test/lib.sh: what make test, test-all, demo and bench have in common
#
# Everything happens in one work directory that ms_cleanup() removes, whatever
# the end: a copy of the sources is built there and installed into a private
# copy of PostgreSQL (PostgreSQL finds its files relative to its programs, so
# a copy of the programs and links to the rest are enough).  All directories
# of that copy are real ones, so that nothing is ever written through a link.
# Neither the checkout nor the machine's PostgreSQL is written to, and root is
# needed for nothing but to install missing packages (install.sh).
#
# Callers set, before ms_begin:
#	PG_CONFIG	the PostgreSQL to use; "pg_config" or nothing: the machine's
#	KEEP=1		leave the work directory where it is

set -u
umask 022

MS_TOP=$(unset CDPATH && cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
MS_WORK=						# the work directory
MS_SHORT=						# a short path for sockets
MS_REMOVE=()					# what else goes at the end
MS_USER=
MS_SUPER="The super-user"		# whoever it is, no test may name him
MS_PROGRAM=${MS_PROGRAM:-make}

# What the caller's shell says is not for us: another language's messages and
# order, make's flags, git's repository, files to be read by each shell.
# shellcheck disable=SC2034 # demo/run.sh asks it
MS_CHARMAP=$(locale charmap 2>/dev/null)
export LC_ALL=C
unset LANGUAGE CDPATH GREP_OPTIONS BASH_ENV ENV POSIXLY_CORRECT \
	MAKEFLAGS MAKEOVERRIDES MFLAGS GNUMAKEFLAGS MAKEFILES MAKELEVEL \
	GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

ms_say() { printf '%s\n' "$*"; }
ms_die()
{
	printf '%s: %s\n' "$MS_PROGRAM" "$*" >&2
	exit 1
}

# What no server's log may contain: crashes, assertions, sanitizers
# shellcheck disable=SC2034
MS_CRASHES='was terminated by signal|PANIC:|TRAP:|runtime error:|AddressSanitizer'

ms_is_root() { [ "$(id -u)" -eq 0 ]; }

# git as a reader, of anybody's checkout
ms_git()
{
	GIT_OPTIONAL_LOCKS=0 git -c safe.directory='*' -C "$MS_TOP" "$@"
}

# ---------------------------------------------------------------------------
# Packages: all that a command will need is known before it starts
# ---------------------------------------------------------------------------

MS_MISSING=()					# it takes them
MS_WANTED=()					# it does less without them

# Runs a command as root, or returns 127 where that cannot be done unasked.
ms_as_root()
{
	if ms_is_root; then
		"$@"
	elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
		sudo -n "$@"
	else
		return 127
	fi
}

ms_apt_has()
{
	apt-cache policy "$1" 2>/dev/null | grep -q '^ *Candidate: [0-9]'
}

# The major version that the distribution's "postgresql" stands for; its
# release tells it where apt has no lists.
ms_default_major()
{
	local major

	major=$(apt-cache depends postgresql 2>/dev/null |
		sed -n 's/^ *Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
	if [ -n "$major" ]; then
		echo "$major"
	else
		bash "$MS_TOP/test/chroot.sh" major 2>/dev/null
	fi
}

# Which of some packages bring a server that Debian would start
ms_servers()
{
	local package servers=

	for package in "$@"; do
		case $package in
			postgresql-server-dev-* | postgresql-*-*) ;;
			postgresql-[0-9]* | pgbouncer | redis-server)
				servers+=${servers:+, }$package
				;;
		esac
	done
	echo "$servers"
}

# Runs a command, and after two seconds and then every five the first argument,
# which prints how far it is.
ms_watch()
{
	local tell=$1 pid rc tick=0 last=

	shift
	"$@" &
	pid=$!
	(
		while sleep 0.25 && kill -0 $pid 2>/dev/null; do
			((++tick % 20 == 8)) && now=$($tell) && [ "$now" != "$last" ] ||
				continue
			ms_say "  $now"
			last=$now
		done
	) &
	wait $pid
	rc=$?
	wait $!
	return $rc
}

# Until a command has ended, whatever the signal; then we end.
ms_to_its_end()
{
	local rc stopped=

	(trap '' INT TERM HUP QUIT PIPE && "$@") &
	trap 'stopped=130; ms_say "Stopping after this step"' INT
	trap 'stopped=143' TERM HUP
	while wait $!; rc=$?; kill -0 $! 2>/dev/null; do
		:
	done
	ms_traps
	[ -z "$stopped" ] || exit "$stopped"
	return $rc
}

# Installs what ms_need has found missing.  Where that cannot be done, says in
# one line what to run, and ends if something is missing that it takes.
ms_install()
{
	local packages=("${MS_MISSING[@]}") package servers line log

	if ((${#MS_MISSING[@]} + ${#MS_WANTED[@]} == 0)); then
		return 0
	fi
	if ! command -v apt-get >/dev/null; then
		((${#MS_MISSING[@]} == 0)) ||
			ms_die "please install what Debian calls: ${MS_MISSING[*]}"
		return 0
	fi
	if ms_as_root true && ! apt-cache show bash >/dev/null 2>&1; then
		# no lists, as in a fresh container
		ms_say "Fetching apt's package lists"
		ms_to_its_end ms_as_root apt-get -q update </dev/null >/dev/null 2>&1
	fi
	for package in "${MS_WANTED[@]}"; do
		if ms_apt_has "$package" || ! apt-cache show bash >/dev/null 2>&1; then
			packages+=("$package")
		fi
	done
	((${#packages[@]} > 0)) || return 0
	servers=$(ms_servers "${packages[@]}")

	if ! ms_as_root true; then
		line="sudo apt-get update && sudo apt-get install -y"
		line+=" --no-install-recommends ${packages[*]}"
		servers=${servers:+ (servers, which Debian starts: $servers)}
		((${#MS_MISSING[@]} == 0)) ||
			ms_die "packages are missing. Please run \"$line\"$servers" \
				"and try again"
		ms_say "Some tests will be skipped; for all of them run \"$line\"$servers"
		return 0
	fi

	ms_say "Installing with apt: ${packages[*]}"
	apt-get -q --print-uris --no-install-recommends install "${packages[@]}" \
		</dev/null 2>/dev/null |
		perl -ane '/^\x27/ and $n++, $size += $F[2];
			END { printf "  %d packages in all, %d MB to download\n", $n, $size / 1e6 if $n }'
	[ -z "$servers" ] ||
		ms_say "Servers among them, neither started nor enabled: $servers"
	ms_scratch log
	log+=/apt
	apt_is_at()
	{
		grep -oE '^(Get:[0-9]+ |Unpacking [^ ]+|Setting up [^ ]+)' "$log" |
			tail -n 1
	}
	install()
	{
		ms_as_root bash "$MS_TOP/test/install.sh" "${packages[@]}" \
			</dev/null >"$log" 2>&1
	}
	if ! ms_to_its_end ms_watch apt_is_at install; then
		tail -n 25 "$log" >&2
		ms_die "could not install: ${packages[*]}"
	fi
	hash -r
}

# The major version of a pg_config
ms_major_of()
{
	"$1" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/'
}

# What a pg_config lacks to build and run a server's extension.  Headers may
# be elsewhere than PGXS: Debian's clients bring that along, too.
ms_lacks_server() { ! [ -x "$("$1" --bindir 2>/dev/null)/postgres" ]; }
ms_lacks_headers()
{
	! [ -e "$("$1" --includedir-server 2>/dev/null)/postgres.h" ] ||
		! [ -e "$("$1" --pgxs 2>/dev/null)" ]
}

# Sets PG_CONFIG and MS_MAJOR, and what these lack.
ms_find_postgres()
{
	local found=

	if [ "${PG_CONFIG:-pg_config}" != pg_config ]; then
		found=$(realpath -s "$(command -v "$PG_CONFIG")" 2>/dev/null)
		[ -n "$found" ] || ms_die "PG_CONFIG: there is no program \"$PG_CONFIG\""
		"$found" --version >/dev/null 2>&1 ||
			ms_die "PG_CONFIG: \"$PG_CONFIG\" does not work"
		PG_CONFIG=$found
		MS_MAJOR=$(ms_major_of "$PG_CONFIG")
	elif found=$(command -v pg_config) && MS_MAJOR=$(ms_major_of "$found") &&
		[ -n "$MS_MAJOR" ] &&
		{ { ! ms_lacks_server "$found" && ! ms_lacks_headers "$found"; } ||
			! command -v apt-cache >/dev/null ||
			[ "$MS_MAJOR" = "$(ms_default_major)" ] ||
			ms_apt_has "postgresql-server-dev-$MS_MAJOR"; }; then
		PG_CONFIG=$found
	else
		# nothing usable: the distribution's own
		command -v apt-get >/dev/null ||
			ms_die "there is no PostgreSQL with its server headers;" \
				"install one, or set PG_CONFIG"
		if [ -z "$(ms_default_major)" ] && ms_as_root true; then
			ms_to_its_end ms_as_root apt-get -q update </dev/null \
				>/dev/null 2>&1
		fi
		MS_MAJOR=$(ms_default_major)
		[ -n "$MS_MAJOR" ] ||
			ms_die "apt knows no package \"postgresql\"; please run" \
				"\"sudo apt-get update\", or set PG_CONFIG"
		PG_CONFIG=/usr/lib/postgresql/$MS_MAJOR/bin/pg_config
	fi
	! ms_lacks_server "$PG_CONFIG" || MS_MISSING+=("postgresql-$MS_MAJOR")
	! ms_lacks_headers "$PG_CONFIG" ||
		MS_MISSING+=("postgresql-server-dev-$MS_MAJOR")
}

# Whether the PostgreSQL is (or will be) that of a Debian package
ms_is_packaged()
{
	case $("$PG_CONFIG" --bindir 2>/dev/null || dirname "$PG_CONFIG") in
		/usr/lib/postgresql/*) ;;
		*) return 1 ;;
	esac
}

# Notes what is missing of:
#	COMMAND=PACKAGE		a program
#	COMMAND?=PACKAGE	one that can be done without
#	clients				what TAP tests are about or use, and are skipped without
ms_need()
{
	local need

	for need in "$@"; do
		case $need in
			clients)
				/usr/bin/python3 -c 'import psycopg2' 2>/dev/null ||
					MS_WANTED+=(python3-psycopg2)
				/usr/bin/python3 -c 'import django' 2>/dev/null ||
					MS_WANTED+=(python3-django)
				ms_need "pgbouncer?=pgbouncer"
				if ms_is_packaged && ! [ -e "$("$PG_CONFIG" --sharedir \
					2>/dev/null)/extension/plproxy.control" ]; then
					MS_WANTED+=("postgresql-$MS_MAJOR-plproxy")
				fi
				ms_need_modules
				;;
			*\?=*)
				command -v "${need%%\?=*}" >/dev/null ||
					MS_WANTED+=("${need#*=}")
				;;
			*)
				command -v "${need%%=*}" >/dev/null ||
					MS_MISSING+=("${need#*=}")
				;;
		esac
	done
}

# Modules beside which it must work (modules.pl), where the distribution has them
ms_need_modules()
{
	local package lists=

	ms_is_packaged && command -v apt-cache >/dev/null || return 0
	# apt has no lists yet; only who can fetch them may guess
	apt-cache show bash >/dev/null 2>&1 && lists=1
	[ -n "$lists" ] || ms_as_root true || return 0
	for package in pgaudit pg-stat-kcache pg-qualstats pg-wait-sampling hypopg \
		set-user pgextwlist pglogical plprofiler; do
		package=postgresql-$MS_MAJOR-$package
		dpkg -s "$package" >/dev/null 2>&1 ||
			{ [ -n "$lists" ] && ! apt-cache show "$package" >/dev/null 2>&1; } ||
			MS_WANTED+=("$package")
	done
}

# Sets PG_CONFIG, MS_BINDIR and MS_MAJOR; installs a compiler, PostgreSQL where
# it is the distribution's, and what the arguments say: "tap", or one of
# ms_need's.
ms_setup()
{
	local need

	ms_find_postgres
	ms_need gcc=gcc make=make
	[ -e /usr/include/stdio.h ] || MS_MISSING+=(libc6-dev)
	for need in "$@"; do
		case $need in
			tap)
				perl -MIPC::Run -e 1 2>/dev/null || MS_MISSING+=(libipc-run-perl)
				ms_need prove=perl
				;;
			*)
				ms_need "$need"
				;;
		esac
	done
	ms_install

	MS_BINDIR=$("$PG_CONFIG" --bindir) || ms_die "$PG_CONFIG does not work"
	[ -x "$MS_BINDIR/postgres" ] ||
		ms_die "there is no server in $MS_BINDIR (from $PG_CONFIG)"
	! ms_lacks_headers "$PG_CONFIG" ||
		ms_die "there are no server headers and no PGXS for $PG_CONFIG"
}

# ---------------------------------------------------------------------------
# The work directory
# ---------------------------------------------------------------------------

# Runs a command as MS_USER with an environment of our own: no PG* variables,
# no make flags, a fixed locale.
ms_as_user()
{
	local run=(env -i HOME="$MS_WORK/home" USER="$MS_USER"
		LOGNAME="$MS_USER" SHELL=/bin/sh TERM="${TERM:-dumb}"
		LC_ALL="$MS_LOCALE" TZ=UTC TMPDIR="$MS_SHORT/tmp"
		PGCTLTIMEOUT=900 PG_TEST_TIMEOUT_DEFAULT=900
		PATH="${MS_PGBIN:-}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
		PGHOST="$MS_SHORT/s" PGPORT=5432 PGUSER="$MS_SUPER"
		${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"}
		${UBSAN_OPTIONS:+UBSAN_OPTIONS="$UBSAN_OPTIONS"}
		"$@")

	if ms_is_root; then
		runuser -u "$MS_USER" -- "${run[@]}"
	else
		"${run[@]}"
	fi
}

# Whether programs in a directory can be run by MS_USER
ms_usable()
{
	local copy=$1/probe rc

	cp "$(type -P true)" "$copy" 2>/dev/null && chmod 755 "$copy" || return 1
	if ms_is_root; then
		runuser -u "$MS_USER" -- "$copy" 2>/dev/null
	else
		"$copy" 2>/dev/null
	fi
	rc=$?
	rm -f "$copy"
	return $rc
}

# Makes MS_WORK, below the first directory that may hold programs (/tmp may be
# mounted noexec), and MS_SHORT for sockets, whose paths are limited.
ms_make_work()
{
	local base dir

	if ! ms_is_root; then
		MS_USER=$(id -un)
	elif getent passwd postgres >/dev/null; then
		MS_USER=postgres
	else
		MS_USER=nobody
	fi

	for base in "${TMPDIR:-/tmp}" /tmp /var/tmp /var/lib/postgresql \
		"${XDG_CACHE_HOME:-${HOME:-/root}/.cache}" "$MS_TOP"; do
		# PGXS cannot do with blanks and the like
		case $base in
			/*[!A-Za-z0-9/._+,@-]* | [!/]*) continue ;;
		esac
		[ -d "$base" ] || continue
		dir=$(ms_new_name "$base/missing_symbol")
		MS_REMOVE+=("$dir")
		mkdir "$dir" 2>/dev/null || continue
		chmod 755 "$dir"
		if ms_usable "$dir"; then
			MS_WORK=$(cd "$dir" && pwd -P)
			break
		fi
		rmdir "$dir"
	done
	[ -n "$MS_WORK" ] ||
		ms_die "found no directory where user $MS_USER may run programs;" \
			"set TMPDIR to one"

	MS_SHORT=$MS_WORK
	if ((${#MS_WORK} > 60)); then
		MS_SHORT=$(ms_new_name /tmp/ms)
		MS_REMOVE+=("$MS_SHORT")
		mkdir "$MS_SHORT" || ms_die "cannot write to /tmp"
		chmod 755 "$MS_SHORT"
	fi
	mkdir -p "$MS_WORK"/{home,log} "$MS_SHORT"/{s,tmp}

	MS_LOCALE=C
	if locale -a 2>/dev/null | grep -qix 'C\.utf-\?8'; then
		MS_LOCALE=C.UTF-8
	fi
}

# Runs a command so that a signal ends us at once, and not when it is done.
ms_wait_for()
{
	"$@" &
	wait $!
}

# Sets MS_OURS to the processes that we have started: our descendants, and
# what runs from or in the work directory or has its home there.  The dead are
# not among them, buried or not.
ms_find_ours()
{
	local proc pid state found=1 me=$BASHPID
	local -A parent=() ours=()

	for proc in /proc/[0-9]*; do
		pid=${proc#/proc/}
		[ "$pid" != "$me" ] || continue
		read -r state 2>/dev/null <"$proc/stat" || continue
		# its name may have blanks
		read -r state parent["$pid"] _ <<<"${state##*) }"
		case $state in Z | X) unset "parent[$pid]" ;; esac
	done
	if [ -n "$MS_WORK" ]; then
		while read -r pid; do
			[ -z "${parent[$pid]:-}" ] || ours[$pid]=1
		done < <({
			grep -lF "HOME=$MS_WORK/home" /proc/[0-9]*/environ \
				/proc/[0-9]*/cmdline
			find /proc/[0-9]*/exe /proc/[0-9]*/cwd -maxdepth 0 \
				-lname "$MS_WORK/*"
		} 2>/dev/null | sed 's/^.proc.\([0-9]*\).*/\1/')
	fi
	while ((found)); do
		found=0
		for pid in "${!parent[@]}"; do
			if [ -z "${ours[$pid]:-}" ] &&
				{ [ "${parent[$pid]}" = "$me" ] ||
					[ -n "${ours[${parent[$pid]}]:-}" ]; }; then
				ours[$pid]=1
				found=1
			fi
		done
	done
	MS_OURS=()
	for pid in "${!ours[@]}"; do
		[ ! -d "/proc/$pid" ] || MS_OURS+=("$pid")
	done
}

# Ends all of them, servers too.  What these have in shared memory they give
# back themselves, unless they are killed.
ms_end_processes()
{
	local pid file tries shared none=0

	ms_find_ours
	((${#MS_OURS[@]} > 0)) || return 0
	shared=$(for pid in "${MS_OURS[@]}"; do
		cat "/proc/$pid/maps"
	done 2>/dev/null | sed -nE \
		-e 's:^.* (/dev/shm/PostgreSQL\.[0-9]+).*:\1:p' \
		-e 's:^.* ([0-9]+) +/SYSV[0-9a-f]{8}.*:\1:p' | sort -u)
	# first whoever could start another server
	kill -TERM "${MS_OURS[@]}" 2>/dev/null
	for ((tries = 0; tries < 75; tries++)); do
		if ((tries % 10 == 0)) && [ -n "$MS_WORK" ]; then
			find "$MS_WORK" -name postmaster.pid 2>/dev/null |
				while read -r file; do
					read -r pid <"$file" && kill -QUIT "$pid"
				done 2>/dev/null
		fi
		sleep 0.2
		ms_find_ours
		# twice: one may just have been started by one that has ended
		((${#MS_OURS[@]} == 0)) || none=0
		((${#MS_OURS[@]} > 0 || ++none < 2)) || break
	done
	for ((tries = 0; tries < 50 && ${#MS_OURS[@]} > 0; tries++)); do
		kill -KILL "${MS_OURS[@]}" 2>/dev/null
		sleep 0.1
		ms_find_ours
	done
	for file in $shared; do
		case $file in
			/*) rm -f "$file" ;;
			*) perl -e 'shmctl($ARGV[0], 0, 0)' "$file" ;;
		esac
	done
}

ms_cleanup()
{
	local rc=$?

	trap - EXIT
	trap '' INT TERM HUP QUIT PIPE
	ms_end_processes
	if [ -n "$MS_WORK" ] && [ -n "${KEEP:-}" ]; then
		ms_say "Left behind, as KEEP says: $MS_WORK"
	elif ((${#MS_REMOVE[@]} > 0)); then
		rm -rf "${MS_REMOVE[@]}"
	fi
	exit $rc
}

# Whichever signal, whenever
ms_traps()
{
	trap ms_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	trap 'exit 131' QUIT
	trap 'exit 141' PIPE
}

# A name that nobody has: known before there is something to be removed,
# should a signal come
ms_new_name()
{
	local name

	while name=$1.$$.$RANDOM$RANDOM && [ -e "$name" ]; do :; done
	echo "$name"
}

# Sets the variable of that name to a new directory, which goes at the end.
ms_scratch()
{
	local dir

	dir=$(ms_new_name "${TMPDIR:-/tmp}/ms")
	[ -d "${dir%/*}" ] || dir=/tmp/${dir##*/}
	MS_REMOVE+=("$dir")
	mkdir -m 700 "$dir" || ms_die "cannot write to ${TMPDIR:-/tmp}"
	printf -v "$1" %s "$dir"
}

ms_own()
{
	if ms_is_root; then
		chown -Rh "$MS_USER" "$MS_WORK" "$MS_SHORT"
	fi
}

# ---------------------------------------------------------------------------
# A private PostgreSQL, and this extension in it
# ---------------------------------------------------------------------------

# $MS_WORK/pg mirrors the paths that pg_config prints.  Programs are copies,
# because they find the rest relative to where they really are.
ms_copy_postgres()
{
	local root=$MS_WORK/pg real=$MS_BINDIR/pg_config dir opt file

	[ -x "$real" ] || real=$PG_CONFIG
	mkdir -p "$root$MS_BINDIR"
	for file in "$MS_BINDIR"/*; do
		# it may be /usr/bin
		case ${file##*/} in
			pg_* | pgbench | postgres | psql | initdb | createdb | dropdb | \
				createuser | dropuser | clusterdb | reindexdb | vacuumdb)
				cp -L "$file" "$root$MS_BINDIR/" || ms_die "could not copy $file"
				;;
		esac
	done
	[ -x "$root$MS_BINDIR/pg_config" ] ||
		ms_die "there is no pg_config in $MS_BINDIR"
	# Links to directories are followed, so that here are real ones only; what
	# leads nowhere, or round in a circle, is left out.
	for opt in --pkglibdir --sharedir --pkgincludedir --includedir-server; do
		dir=$("$real" "$opt")
		mkdir -p "$root$dir" || ms_die "could not copy $dir"
		[ -e "$root$dir/postgres.h" ] ||
			cp -rsL "$dir/." "$root$dir/" 2>/dev/null
	done
	for file in "$("$real" --includedir-server)/postgres.h" \
		"$("$real" --pgxs)" "$("$real" --sharedir)/postgres.bki"; do
		[ -f "$root$file" ] || ms_die "could not link $file"
	done
	find "$root" -name 'missing_symbol*' -prune -exec rm -rf {} +

	# Older Debian packages have a pg_config that insists on their paths.
	MS_PGBIN=$root$MS_BINDIR
	MS_PG_CONFIG=$MS_PGBIN/pg_config
	rm "$MS_PG_CONFIG"
	cat >"$MS_PG_CONFIG" <<EOF_WRAPPER
#!/bin/sh
[ \$# -gt 0 ] || exec '$real'
for option in "\$@"; do
	value=\$('$real' "\$option") || exit
	case \$option in
		--bindir | --pkglibdir | --sharedir | --pgxs | --docdir | \\
			--htmldir | --localedir | --mandir | --*includedir*)
			value=$root\$value
			;;
	esac
	printf '%s\n' "\$value"
done
EOF_WRAPPER
	chmod 755 "$MS_PG_CONFIG"
}

# A copy of what is built and tested, without what earlier builds left
ms_copy_sources()
{
	local item

	MS_SRC=$MS_WORK/src
	mkdir -p "$MS_SRC"
	for item in Makefile missing_symbol.control META.json README.md \
		CHANGELOG.md CONTRIBUTING.md LICENSE SECURITY.md doc src sql expected test; do
		if [ -e "$MS_TOP/$item" ]; then
			cp -RL "$MS_TOP/$item" "$MS_SRC/" || ms_die "could not copy $item"
		fi
	done
	find "$MS_SRC" \( -name '*.o' -o -name '*.bc' -o -name '*.so' \
		-o -name .built_for -o -name '*.inc' \) \
		-exec rm -f {} +
	chmod -R u+rwX,go+rX "$MS_SRC"
}

ms_make()
{
	ms_as_user make -C "$MS_SRC" --no-print-directory \
		PG_CONFIG="$MS_PG_CONFIG" with_llvm=no "$@"
}

# Everything up to sources that can be built
ms_begin()
{
	ms_make_work
	# MS_USER may not be able to read the directory we were called from
	cd /
	ms_copy_postgres
	ms_copy_sources
	ms_own
}

# Builds and installs into the copy; arguments are for make.
ms_build()
{
	local jobs log=$MS_WORK/log/build

	jobs=$(nproc 2>/dev/null || echo 1)
	build_is_at()
	{
		ms_say "$(find "$MS_SRC/src" -name '*.o' | wc -l) of" \
			"$(find "$MS_SRC/src" -name '*.c' | wc -l) files compiled"
	}
	compile()
	{
		ms_make -j"$jobs" "$@" all >"$log" 2>&1
	}
	if ! ms_wait_for ms_watch build_is_at compile "$@" ||
		! ms_wait_for ms_make "$@" install >>"$log" 2>&1; then
		cat "$log" >&2
		return 1
	fi
}

# Starts a cluster; arguments are lines for its configuration file.
ms_start()
{
	local data=$MS_WORK/data log=$MS_WORK/log

	if ! ms_wait_for ms_as_user initdb -D "$data" -U "$MS_SUPER" -A trust -N -E UTF8 \
		--no-locale >"$log/initdb" 2>&1; then
		cat "$log/initdb" >&2
		return 1
	fi
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$MS_SHORT/s'"
		echo "port = 5432"
		printf '%s\n' "$@"
	} | ms_as_user tee -a "$data/postgresql.conf" >/dev/null
	if ! ms_wait_for ms_as_user pg_ctl -D "$data" -l "$log/server" -w start \
		>"$log/pg_ctl" 2>&1 </dev/null; then
		cat "$log/pg_ctl" "$log/server" >&2
		return 1
	fi
	if ! ms_as_user psql -XAtq -d postgres -c \
		"SELECT setting FROM pg_config WHERE name = 'SHAREDIR'" |
		grep -q "^$MS_WORK/"; then
		ms_say "This PostgreSQL cannot be copied; use" \
			"\"make install\" and \"make installcheck\"." >&2
		return 1
	fi
}

ms_traps
