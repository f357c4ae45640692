# shellcheck shell=bash
#
# test/lib.sh: what make test, test-all, demo and bench have in common
#
# Everything happens in one work directory that cleanup() removes, whatever
# the end: a copy of the sources is built there and installed into a private
# copy of PostgreSQL (PostgreSQL finds its files relative to its programs, so
# a copy of the programs and links to the rest are enough).  Neither the
# checkout nor the machine's PostgreSQL is written to, and root is needed for
# nothing but to install missing packages.
#
# Callers set, before ms_begin:
#	PG_CONFIG	the PostgreSQL to use; "pg_config" or nothing: the machine's
#	KEEP=1		leave the work directory where it is

set -u
umask 022

MS_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
MS_WORK=						# the work directory
MS_SHORT=						# a short path for sockets
MS_USER=
MS_CHILD=
MS_PROGRAM=${MS_PROGRAM:-make}

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

# ---------------------------------------------------------------------------
# Packages
# ---------------------------------------------------------------------------

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

# Installs Debian packages, or says what to install and ends.
ms_install()
{
	local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y
		-o DPkg::Lock::Timeout=300)
	local log

	[ $# -gt 0 ] || return 0
	command -v apt-get >/dev/null ||
		ms_die "please install what Debian calls: $*"
	ms_as_root true ||
		ms_die "some packages are missing. Please run" \
			"\"sudo apt-get update && sudo apt-get install -y $*\" and try again"

	ms_say "Installing: $*"
	log=$(mktemp)
	# Lists may be missing (a fresh container) or too old; then it works the
	# second time.
	if ! ms_as_root "${apt[@]}" install --no-install-recommends "$@" \
		</dev/null >"$log" 2>&1 &&
		! { ms_as_root "${apt[@]}" update </dev/null >"$log" 2>&1 &&
			ms_as_root "${apt[@]}" install --no-install-recommends "$@" \
				</dev/null >>"$log" 2>&1; }; then
		tail -n 25 "$log" >&2
		rm -f "$log"
		ms_die "could not install: $*"
	fi
	rm -f "$log"
	hash -r
}

# The same for what can be done without: COMMAND PACKAGE...
ms_install_if_possible()
{
	command -v "$1" >/dev/null && return
	shift
	(ms_install "$@") >/dev/null 2>&1
	hash -r
}

# The major version that the distribution's "postgresql" stands for
ms_default_major()
{
	LC_ALL=C apt-cache depends postgresql 2>/dev/null |
		sed -n 's/^ *Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1
}

# Sets PG_CONFIG, MS_BINDIR and MS_MAJOR; installs a compiler and, where it is
# the distribution's, PostgreSQL.  Arguments: further things that are needed:
# "tap", or COMMAND=PACKAGE.
ms_setup()
{
	local missing=() need explicit=1 apt_major=

	[ "${PG_CONFIG:-pg_config}" != pg_config ] || explicit=0
	if ((explicit)); then
		PG_CONFIG=$(realpath -s "$(command -v "$PG_CONFIG")") ||
			ms_die "PG_CONFIG: there is no such program"
	elif ! PG_CONFIG=$(command -v pg_config) ||
		! [ -e "$("$PG_CONFIG" --pgxs)" ] ||
		! [ -x "$("$PG_CONFIG" --bindir)/postgres" ]; then
		# nothing usable: the distribution's own
		command -v apt-cache >/dev/null ||
			ms_die "there is no PostgreSQL with its server headers;" \
				"install one, or set PG_CONFIG"
		apt_major=$(ms_default_major)
		if [ -z "$apt_major" ]; then
			ms_as_root true ||
				ms_die "apt's package lists are missing. Please run" \
					"\"sudo apt-get update\" and try again"
			ms_as_root apt-get -q update </dev/null >/dev/null 2>&1
			apt_major=$(ms_default_major)
		fi
		[ -n "$apt_major" ] || ms_die "apt knows no package \"postgresql\""
		PG_CONFIG=/usr/lib/postgresql/$apt_major/bin/pg_config
		missing+=("postgresql-$apt_major" "postgresql-server-dev-$apt_major")
	fi

	if [ -z "$apt_major" ]; then
		MS_MAJOR=$("$PG_CONFIG" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
		if ! [ -x "$("$PG_CONFIG" --bindir)/postgres" ]; then
			missing+=("postgresql-$MS_MAJOR")
		fi
		if ! [ -e "$("$PG_CONFIG" --pgxs)" ]; then
			missing+=("postgresql-server-dev-$MS_MAJOR")
		fi
	fi

	command -v gcc >/dev/null || missing+=(gcc)
	[ -e /usr/include/stdio.h ] || missing+=(libc6-dev)
	command -v make >/dev/null || missing+=(make)
	for need in "$@"; do
		case $need in
			tap)
				perl -MIPC::Run -e 1 2>/dev/null || missing+=(libipc-run-perl)
				command -v prove >/dev/null || missing+=(perl)
				;;
			*)
				command -v "${need%%=*}" >/dev/null || missing+=("${need#*=}")
				;;
		esac
	done
	if ((${#missing[@]} > 0)); then
		ms_install "${missing[@]}"
	fi

	MS_BINDIR=$("$PG_CONFIG" --bindir) || ms_die "$PG_CONFIG does not work"
	MS_MAJOR=$("$PG_CONFIG" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
	[ -x "$MS_BINDIR/postgres" ] ||
		ms_die "there is no server in $MS_BINDIR (from $PG_CONFIG)"
	[ -e "$("$PG_CONFIG" --pgxs)" ] ||
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
		PATH="${MS_PGBIN:-}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
		PGHOST="$MS_SHORT/s" PGPORT=5432 PGUSER=postgres
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
		[ -d "$base" ] || continue
		dir=$(mktemp -d "$base/missing_symbol.XXXXXX" 2>/dev/null) || continue
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
		MS_SHORT=$(mktemp -d /tmp/ms.XXXXXX) || ms_die "cannot write to /tmp"
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
	local rc

	"$@" &
	MS_CHILD=$!
	wait "$MS_CHILD"
	rc=$?
	MS_CHILD=
	return $rc
}

# Sends a signal to what runs from or in the work directory, that is, to
# nothing but what we have started.
ms_signal_all()
{
	local proc path

	for proc in /proc/[0-9]*; do
		for path in "$proc/exe" "$proc/cwd"; do
			path=$(readlink "$path" 2>/dev/null) || continue
			case $path in
				"$MS_WORK"/*)
					kill "-$1" "${proc#/proc/}" 2>/dev/null
					break
					;;
			esac
		done
	done
}

# Our servers and those of the TAP tests; every data directory is in here.
ms_stop_servers()
{
	local file pid tries

	[ -n "$MS_WORK" ] || return 0
	if [ -n "$MS_CHILD" ]; then
		# cut short: first whoever could start another server
		kill "$MS_CHILD" 2>/dev/null
		ms_signal_all TERM
	fi
	find "$MS_WORK" -name postmaster.pid 2>/dev/null | while read -r file; do
		read -r pid <"$file" || continue
		kill -QUIT "$pid" 2>/dev/null || continue
		for ((tries = 0; tries < 100; tries++)); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
	done
	ms_signal_all KILL
}

ms_cleanup()
{
	local rc=$?

	trap - EXIT
	trap '' INT TERM HUP
	ms_stop_servers
	if [ -n "$MS_WORK" ]; then
		if [ -n "${KEEP:-}" ]; then
			ms_say "Left behind, as KEEP says: $MS_WORK"
		else
			rm -rf "$MS_WORK" "$MS_SHORT"
		fi
	fi
	exit $rc
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
	local root=$MS_WORK/pg real=$MS_BINDIR/pg_config dir opt

	[ -x "$real" ] || real=$PG_CONFIG
	mkdir -p "$root$MS_BINDIR"
	cp -L "$MS_BINDIR"/* "$root$MS_BINDIR/" ||
		ms_die "could not copy $MS_BINDIR"
	[ -x "$root$MS_BINDIR/pg_config" ] ||
		ms_die "there is no pg_config in $MS_BINDIR"
	for opt in --pkglibdir --sharedir; do
		dir=$("$real" "$opt")
		mkdir -p "$root$dir"
		cp -rs "$dir/." "$root$dir/" || ms_die "could not link $dir"
	done
	for opt in --pkgincludedir --includedir-server; do
		dir=$("$real" "$opt")
		if ! [ -e "$root$dir" ]; then
			mkdir -p "$(dirname "$root$dir")"
			ln -s "$dir" "$root$dir"
		fi
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
		CHANGELOG.md LICENSE src sql expected test; do
		if [ -e "$MS_TOP/$item" ]; then
			cp -R "$MS_TOP/$item" "$MS_SRC/" || ms_die "could not copy $item"
		fi
	done
	find "$MS_SRC" \( -name '*.o' -o -name '*.bc' -o -name '*.so' \) \
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
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	trap ms_cleanup EXIT
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
	if ! ms_make -j"$jobs" "$@" all >"$log" 2>&1 ||
		! ms_make "$@" install >>"$log" 2>&1; then
		cat "$log" >&2
		return 1
	fi
}

# Starts a cluster; arguments are lines for its configuration file.
ms_start()
{
	local data=$MS_WORK/data log=$MS_WORK/log

	if ! ms_as_user initdb -D "$data" -U postgres -A trust -N -E UTF8 \
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
	if ! ms_as_user pg_ctl -D "$data" -l "$log/server" -w -t 120 start \
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
