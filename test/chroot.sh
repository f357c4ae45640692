#!/bin/bash
#
# test/chroot.sh: other PostgreSQL versions, in chroots of the distribution's
# other releases
#
#	chroot.sh where MAJOR		prints the release that has it
#	chroot.sh major			prints the one that the machine's release has
#	chroot.sh test MAJOR [VAR=VALUE ...]
#					make test in there, making the chroot first
#					where there is none; exit status 77: cannot be had
#	chroot.sh run MAJOR SCRIPT [VAR=VALUE ...]
#					runs a script of the sources as root in a copy of
#					the chroot that is thrown away; apt works there.
#					Several may run at once.
#					IN=FILE is put into /srv/in, what the script leaves
#					in /srv/out goes to OUT=DIRECTORY
#	chroot.sh hard MAJOR [VAR=VALUE ...]
#					hard-server.sh in a chroot of its own, MAJOR-hard, which
#					has the source package and what it takes to build it
#	chroot.sh clean MAJOR		removes the chroot
#
# MAJOR "none" is the machine's release without PostgreSQL, "none-RELEASE"
# another one; "door" is the first with all that "make test" installs.
#
# For root.  A chroot is 1 to 2 GB and is kept for the next time in
# $CHROOTS, by default /var/cache/missing_symbol-chroots.  The mirror and its
# keys are those of apt's own configuration; MIRROR=URL is for a release that
# has moved to an archive.
#
# Everything is mounted in a mount namespace of its own, and everything runs in
# a process namespace of its own: when the last process ends, or this script is
# ended by whatever signal, nothing stays mounted and nothing runs on.

set -u
umask 022

TOP=$(unset CDPATH && cd "$(dirname "$0")/.." && pwd)
CHROOTS=${CHROOTS:-/var/cache/missing_symbol-chroots}
INCLUDE=gcc,libc6-dev,make,libipc-run-perl,binutils,postgresql-common
CACHING=usr/local/bin/gcc

say() { printf '%s\n' "$*"; }
skip()
{
	say "chroot.sh: $*" >&2
	exit 77
}

# ---------------------------------------------------------------------------
# Where a version is
# ---------------------------------------------------------------------------

# Debian and Ubuntu have one PostgreSQL in each release.
release_of()
{
	case $1-$2 in
		debian-13) echo bullseye ;;
		debian-15) echo bookworm ;;
		debian-17) echo trixie ;;
		debian-18) echo forky ;;
		debian-19) echo experimental ;;
		ubuntu-14) echo jammy ;;
		ubuntu-16) echo noble ;;
		ubuntu-17) echo questing ;;
		ubuntu-18) echo resolute ;;
		*) return 1 ;;
	esac
}

distribution_of()
{
	case $1 in
		jammy | noble | questing | resolute) echo ubuntu ;;
		*) echo debian ;;
	esac
}

read_release()
{
	[ -r /etc/os-release ] || skip "this is neither Debian nor Ubuntu"
	ID=$(sed -n 's/^ID="*\([^"]*\).*/\1/p' /etc/os-release)
	CODENAME=$(sed -n 's/^VERSION_CODENAME="*\([^"]*\).*/\1/p' \
		/etc/os-release)
}

# Sets MIRROR, the place that apt has this release from
read_apt()
{
	local line

	read_release
	command -v apt-get >/dev/null || skip "there is no apt here"

	# apt reads all its formats for us
	if [ -z "${MIRROR:-}" ]; then
		while read -r line; do
			# shellcheck disable=SC2086
			set -- $line
			if [ "$2" = "$CODENAME" ] && [ "$3" = main ]; then
				MIRROR=$1
				break
			fi
		done < <(apt-get indextargets \
			--format "\$(REPO_URI) \$(RELEASE) \$(COMPONENT)" \
			'Created-By: Packages')
	fi
	case ${MIRROR:-} in
		http:* | https:* | file:*) ;;
		*) skip "apt's configuration has no usable mirror for $CODENAME" ;;
	esac
}

# Whether apt, as it is configured, has a version for the machine's release
# (apt.postgresql.org has all of them)
apt_has()
{
	LC_ALL=C apt-cache policy "postgresql-server-dev-$1" 2>/dev/null |
		grep -q '^ *Candidate: [0-9]'
}

# Sets RELEASE, the release to make a chroot of
plan()
{
	read_apt
	if [[ $1 == none-* ]]; then
		RELEASE=${1#none-}
	elif [ "$1" = none ] || [ "$1" = door ] || apt_has "$1"; then
		RELEASE=$CODENAME
	else
		RELEASE=$(release_of "$ID" "$1") ||
			skip "no release of $ID has PostgreSQL $1"
	fi
}

# ---------------------------------------------------------------------------
# Making one
# ---------------------------------------------------------------------------

need()
{
	local missing=() pair

	for pair in debootstrap=debootstrap unshare=util-linux wget=wget "$@"; do
		command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
	done
	((${#missing[@]} == 0)) && return
	say "Installing: ${missing[*]}"
	apt-get -q -y --no-install-recommends install "${missing[@]}" \
		</dev/null >/dev/null ||
		skip "could not install ${missing[*]}"
}

# apt's proxy is wget's too
use_proxy()
{
	local proxy=

	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	if [ -n "$proxy" ] && [ "$proxy" != DIRECT ]; then
		export http_proxy=$proxy https_proxy=${https_proxy:-$proxy}
	fi
}

# One keyring with all the distribution's keys: those of releases that were
# archived are apart.
keyring()
{
	local file

	for file in "/usr/share/keyrings/$ID-archive-keyring.gpg" \
		"/usr/share/keyrings/$ID-archive-removed-keys.gpg"; do
		if [ -r "$file" ]; then
			cat "$file"
		fi
	done >"$1"
	[ -s "$1" ] || skip "there is no keyring of $ID"
}

# On Debian: Ubuntu's mirror, as debootstrap knows it, and Ubuntu's keyring, which
# Debian does not have; of that the key with this fingerprint.
use_ubuntu()
{
	local arch keys=$CHROOTS/ubuntu package
	local fingerprint=F6ECB3762474EDA9D21B7022871920D1991BC93C

	need gpg=gpg
	arch=$(dpkg --print-architecture)
	MIRROR=$(
		export ARCH=$arch SUITE=$RELEASE
		default_mirror() { say "$1"; exit; }
		# shellcheck disable=SC1091
		. /usr/share/debootstrap/scripts/gutsy
	)
	ID=ubuntu
	rm -rf "$keys"
	mkdir -p "$keys"
	package=$(wget -q -O - --timeout=20 --tries=2 \
		"$MIRROR/dists/$RELEASE/main/binary-$arch/Packages.gz" | gzip -dc 2>/dev/null |
		sed -n '/^Package: ubuntu-keyring$/,/^$/s/^Filename: //p')
	[ -n "$package" ] ||
		skip "Ubuntu is not to be had: nothing answers for $RELEASE at $MIRROR"
	wget -q -O "$keys/deb" --timeout=20 --tries=2 "$MIRROR/$package" &&
		dpkg-deb -x "$keys/deb" "$keys" &&
		gpg --homedir "$keys" --no-default-keyring --export \
			--keyring "$keys/usr/share/keyrings/ubuntu-archive-keyring.gpg" \
			$fingerprint >"$keys/key.gpg" 2>"$keys/error" && [ -s "$keys/key.gpg" ] ||
		skip "Ubuntu is not to be had: no key $fingerprint: $(cat "$keys/error")"
	mv "$keys/key.gpg" "$CHROOTS/keyring-ubuntu.gpg"
	rm -rf "$keys"
}

# What apt inside needs where debootstrap alone cannot do it
use_apt_inside()
{
	local dir=$1

	cp -L /etc/resolv.conf "$dir/etc/" 2>/dev/null
	mkdir -p "$dir/etc/apt/apt.conf.d"
	{
		apt-config dump | grep -E '^Acquire::(http|https)::'
		# a mirror may lag behind; it is still signed
		echo 'Acquire::Check-Valid-Until "false";'
	} >"$dir/etc/apt/apt.conf.d/90missing_symbol"
	# nobody needs these files after a power cut
	echo force-unsafe-io >"$dir/etc/dpkg/dpkg.cfg.d/90missing_symbol"
	printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
	chmod 755 "$dir/usr/sbin/policy-rc.d"
}

# What some tests use, and are skipped without
install_extras()
{
	local major=$1 dir=$2 package

	use_apt_inside "$dir"
	mount_in "$dir"
	if chroot "$dir" apt-get -q update; then
		for package in python3-psycopg2 python3-django pgbouncer \
			"postgresql-$major"-{plproxy,pgaudit,pg-stat-kcache,pg-qualstats} \
			"postgresql-$major"-{pg-wait-sampling,hypopg,set-user,pgextwlist} \
			"postgresql-$major"-{pglogical,plprofiler}; do
			chroot "$dir" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
				--no-install-recommends install "$package"
		done
	fi
	umount -R "$dir/proc" "$dir/dev"
}

# What the machine trusts besides what its distribution does, as a proxy that looks
# into TLS: else npm in there has no registry
trust_what_we_trust()
{
	local dir=$1 local=usr/local/share/ca-certificates

	[ -x "$dir/usr/sbin/update-ca-certificates" ] || return 0
	compgen -G "/$local/*.crt" >/dev/null || return 0
	mkdir -p "$dir/$local"
	cp -L "/$local"/*.crt "$dir/$local/" &&
		chroot "$dir" update-ca-certificates </dev/null >/dev/null 2>&1
}

# Whether it is there, and has all: what make test installs may be more by now
is_ready()
{
	[ -x "$2/bin/bash" ] &&
		{ [ "$1" != door ] || { cmp -s "$2/$CACHING" "$TOP/test/door/gcc.sh" &&
			cmp -s "$2/srv/lib.sh" "$TOP/test/lib.sh"; }; }
}

use_ccache()
{
	chroot "$1" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		--no-install-recommends install ccache &&
		cp "$TOP/test/door/gcc.sh" "$1/$CACHING" && chmod 755 "$1/$CACHING"
}

make_chroot()
{
	local major=$1 dir=$2 new=$2.new suite=$RELEASE include script log
	local keyring components

	if [ "$major" = door ]; then
		make_door_chroot "$dir"
		return
	fi
	need
	use_proxy
	include=$INCLUDE
	if [[ $major == none* ]]; then
		include=ca-certificates
	elif [ "$RELEASE" = experimental ]; then
		suite=sid
	elif [ "$RELEASE" != "$CODENAME" ] || ! apt_has "$major"; then
		include+=,postgresql-$major,postgresql-server-dev-$major
	elif [ "$(release_of "$ID" "$major")" = "$RELEASE" ]; then
		include+=,postgresql-$major,postgresql-server-dev-$major
	fi
	# a debootstrap may be older than the release
	script=/usr/share/debootstrap/scripts/$suite
	if ! [ -e "$script" ]; then
		case $ID in
			debian) script=/usr/share/debootstrap/scripts/sid ;;
			ubuntu) script=/usr/share/debootstrap/scripts/gutsy ;;
		esac
	fi

	say "Making a chroot of $suite with PostgreSQL $major in $dir"
	rm -rf "$new"
	mkdir -p "$new"
	log=$CHROOTS/$major.log
	keyring=$CHROOTS/keyring.gpg
	components=main
	if [ "$ID-$(distribution_of "$RELEASE")" = debian-ubuntu ]; then
		use_ubuntu
		keyring=$CHROOTS/keyring-ubuntu.gpg
		script=/usr/share/debootstrap/scripts/gutsy
	else
		keyring "$keyring"
	fi
	[ "$ID" != ubuntu ] || components+=,universe
	mkdir -p "$CHROOTS/packages"
	if ! debootstrap --variant=minbase --keyring="$keyring" \
		--components=$components \
		--cache-dir="$CHROOTS/packages" --include="$include" \
		"$suite" "$new" "$MIRROR" "$script" \
		</dev/null >"$log" 2>&1; then
		tail -n 15 "$log"
		tail -n 15 "$new/debootstrap/debootstrap.log" 2>/dev/null
		rm -rf "$new"
		skip "debootstrap of $suite failed"
	fi

	if [[ $major != none* ]] &&
		! [ -x "$new/usr/lib/postgresql/$major/bin/pg_config" ]; then
		use_apt_inside "$new"
		if [ "$RELEASE" = experimental ]; then
			echo "deb $MIRROR experimental main" \
				>"$new/etc/apt/sources.list.d/experimental.list"
			target=(-t experimental)
		else
			# the machine's own sources, with their keys
			target=()
			cp -R /etc/apt/sources.list* /etc/apt/trusted.gpg* \
				/etc/apt/keyrings "$new/etc/apt/" 2>/dev/null
			cp -R /usr/share/keyrings "$new/usr/share/" 2>/dev/null
			cp -R /usr/share/postgresql-common/pgdg \
				"$new/usr/share/postgresql-common/" 2>/dev/null
			mkdir -p "$new/etc/ssl"
			cp -RL /etc/ssl/certs "$new/etc/ssl/" 2>/dev/null
		fi
		mount_in "$new"
		if ! { chroot "$new" apt-get -q update &&
			chroot "$new" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
				--no-install-recommends "${target[@]}" install \
				"postgresql-$major" "postgresql-server-dev-$major"; } \
			</dev/null >>"$log" 2>&1; then
			tail -n 15 "$log"
			umount -R "$new/proc" "$new/dev"
			rm -rf "$new"
			skip "apt could not install PostgreSQL $major in a chroot of $suite"
		fi
		umount -R "$new/proc" "$new/dev"
	fi

	if [[ $major != none* ]]; then
		install_extras "$major" "$new" </dev/null >>"$log" 2>&1
	fi
	rm -rf "$new"/var/cache/apt/archives/*.deb "$new"/var/lib/apt/lists/*
	rm -rf "$dir"
	mv "$new" "$dir"
	rm -f "$log"
}

# One where make test and make demo have installed what they need
make_door_chroot()
{
	local dir=$1 new=$1.new log=$CHROOTS/door.log

	exec 7>"$CHROOTS/none.lock"
	flock -s 7
	is_ready none "$CHROOTS/none" ||
		{ flock 7 && { is_ready none "$CHROOTS/none" ||
			make_chroot none "$CHROOTS/none"; }; }
	say "Making a chroot with what make test installs in $dir"
	rm -rf "$new"
	cp -a "$CHROOTS/none" "$new" || skip "no room for $new"
	exec 7>&-
	copy_tree "$new/srv/missing_symbol" || exit 1
	mount_in "$new"
	use_apt_inside "$new"
	borrow_packages "$new" "$new.packages"
	if ! { chroot "$new" apt-get -q update &&
		chroot "$new" bash /srv/missing_symbol/test/door/prepare.sh &&
		use_ccache "$new"; } \
		</dev/null >"$log" 2>&1; then
		tail -n 15 "$log"
		umount -R "$new/proc" "$new/dev" "$new/var/cache/apt/archives"
		rm -rf "$new" "$new.packages"
		skip "make test could not install what it needs"
	fi
	return_packages "$new" "$new.packages"
	umount -l -R "$new/proc" "$new/dev"
	rm -rf "$new"/var/cache/apt/archives/*.deb "$new/srv/missing_symbol" \
		"$new/usr/sbin/policy-rc.d"
	cp "$TOP/test/lib.sh" "$new/srv/lib.sh"
	rm -rf "$dir"
	mv "$new" "$dir"
	rm -f "$log"
}

# One more, with the source package of what is in the other
make_hard_chroot()
{
	local major=$1 dir=$2 new=$2.new log=$CHROOTS/$1-hard.log

	[ -x "$CHROOTS/$major/bin/bash" ] ||
		make_chroot "$major" "$CHROOTS/$major"
	say "Making a chroot with the source of PostgreSQL $major in $dir"
	rm -rf "$new"
	# without what somebody's tests leave in the other one meanwhile
	mkdir "$new" && tar -C "$CHROOTS/$major" --one-file-system \
		--exclude='./tmp/*' --exclude='./var/tmp/*' -cf - . |
		tar -C "$new" -xpf - || skip "no room for $new"
	use_apt_inside "$new"
	sed 's/^deb /deb-src /' "$new/etc/apt/sources.list" \
		>"$new/etc/apt/sources.list.d/source.list"
	mount_in "$new"
	if ! { chroot "$new" apt-get -q update &&
		chroot "$new" env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
			--no-install-recommends install bison dpkg-dev flex libicu-dev \
			libxml2-dev pkg-config python3-django python3-psycopg2 sqlsmith xz-utils &&
		chroot "$new" sh -c "cd /usr/src &&
			apt-get -q source --download-only postgresql-$major"; } \
		</dev/null >"$log" 2>&1; then
		tail -n 15 "$log"
		umount -R "$new/proc" "$new/dev"
		rm -rf "$new"
		skip "apt could not get the source of PostgreSQL $major"
	fi
	umount -R "$new/proc" "$new/dev"
	rm -rf "$new"/var/cache/apt/archives/*.deb
	mv "$new" "$dir"
	rm -f "$log"
}

# ---------------------------------------------------------------------------
# Using one
# ---------------------------------------------------------------------------

# In our own mount namespace only.  /dev has what PostgreSQL and a shell need.
mount_in()
{
	local dir=$1 node

	mount -t proc proc "$dir/proc" &&
		mount -t tmpfs -o mode=755 dev "$dir/dev" || return 1
	for node in null zero full random urandom tty; do
		: >"$dir/dev/$node"
		mount --bind "/dev/$node" "$dir/dev/$node" || return 1
	done
	mkdir "$dir/dev/shm"
	mount -t tmpfs -o mode=1777 shm "$dir/dev/shm" || return 1
	mkdir "$dir/dev/pts"
	mount -t devpts -o newinstance,ptmxmode=0666 devpts "$dir/dev/pts" &&
		ln -s pts/ptmx "$dir/dev/ptmx"
	ln -s /proc/self/fd "$dir/dev/fd"
	ln -s fd/0 "$dir/dev/stdin"
	ln -s fd/1 "$dir/dev/stdout"
	ln -s fd/2 "$dir/dev/stderr"
}

# The sources, without what is not theirs
copy_tree()
{
	local dir=$1 item

	rm -rf "$dir"
	mkdir -p "$dir"
	for item in Makefile missing_symbol.control META.json README.md \
		CHANGELOG.md CONTRIBUTING.md LICENSE SECURITY.md doc src sql expected test; do
		if [ -e "$TOP/$item" ]; then
			cp -R "$TOP/$item" "$dir/" || return 1
		fi
	done
	# compiled for another PostgreSQL
	find "$dir" \( -name '*.o' -o -name '*.bc' -o -name '*.so' \
		-o -name .built_for \) \
		-exec rm -f {} +
}

# A script of test/, in the chroot itself: SCRIPT MAJOR DIRECTORY VAR=VALUE...
test_in()
{
	local script=$1 major=$2 dir=$3 rc var results=
	local -a run

	shift 3
	rm -rf "$dir/srv/missing_symbol" "$dir/srv/results"
	copy_tree "$dir/srv/missing_symbol" || return 1
	mount_in "$dir" || {
		say "chroot.sh: cannot mount anything here"
		return 77
	}
	run=(PG_CONFIG="/usr/lib/postgresql/$major/bin/pg_config"
		RESULTS=/srv/results)
	for var in "$@"; do
		case $var in
			RESULTS=*) results=${var#RESULTS=} ;;
			*) run+=("$var") ;;
		esac
	done
	chroot "$dir" env -i HOME=/root TERM="${TERM:-dumb}" \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"${run[@]}" bash "/srv/missing_symbol/test/$script" </dev/null
	rc=$?
	if [ -n "$results" ] && [ -e "$dir/srv/results" ]; then
		cat "$dir/srv/results" >>"$results"
	fi
	rm -rf "$dir/srv/missing_symbol" "$dir/srv/results" \
		"$dir"/tmp/missing_symbol.*
	return $rc
}

# A copy costs nothing where there is overlayfs.
throw_away_copy()
{
	local dir=$1 copy=$2 volatile

	rm -rf "$copy"
	mkdir -p "$copy/upper" "$copy/work" "$copy/root"
	# nobody needs these files after a power cut
	for volatile in ,volatile ""; do
		mount -t overlay missing_symbol -o \
			"lowerdir=$dir,upperdir=$copy/upper,workdir=$copy/work$volatile" \
			"$copy/root" 2>/dev/null && return
	done
	cp -a "$dir/." "$copy/root/"
}

# What one run has fetched the others need not: apt gets names of its own for
# the files, as it locks the directory.
borrow_packages()
{
	rm -rf "$2"
	mkdir -p "$CHROOTS/packages" "$2"
	find "$CHROOTS/packages" -maxdepth 1 -name '*.deb' -exec ln -t "$2" {} +
	mount --bind "$2" "$1/var/cache/apt/archives"
}

return_packages()
{
	umount -l "$1/var/cache/apt/archives"
	find "$2" -maxdepth 1 -name '*.deb' -links 1 \
		-exec mv -n -t "$CHROOTS/packages" {} +
	rm -rf "$2"
}

run_in()
{
	local dir=$1 copy=$2 script=$3 root=$2/root rc var out=
	local -a run=()

	shift 3
	throw_away_copy "$dir" "$copy" || return 1
	copy_tree "$root/srv/missing_symbol" || return 1
	mkdir -p "$root/srv/in" "$root/srv/out"
	mount_in "$root" || {
		say "chroot.sh: cannot mount anything here"
		return 77
	}
	use_apt_inside "$root"
	trust_what_we_trust "$root" || say "chroot.sh: this machine's certificates are not trusted in there" >&2
	# README says "apt", which keeps nothing
	echo 'Binary::apt::APT::Keep-Downloaded-Packages "true";' \
		>>"$root/etc/apt/apt.conf.d/90missing_symbol"
	borrow_packages "$root" "$copy/packages"
	if [ -e "$root/$CACHING" ]; then
		mkdir -p "$CHROOTS/ccache" "$root/door/ccache"
		chmod 1777 "$CHROOTS/ccache"
		mount --bind "$CHROOTS/ccache" "$root/door/ccache"
	fi
	for var in "$@"; do
		case $var in
			IN=*) cp "${var#IN=}" "$root/srv/in/" || return 1 ;;
			OUT=*) out=${var#OUT=} ;;
			*) run+=("$var") ;;
		esac
	done
	chroot "$root" env -i HOME=/root TERM="${TERM:-dumb}" \
		DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"${run[@]}" bash "/srv/missing_symbol/$script" </dev/null
	rc=$?
	if [ -n "$out" ]; then
		cp "$root"/srv/out/* "$out/" 2>/dev/null
	fi
	# whatever still runs in there goes with this process namespace
	return_packages "$root" "$copy/packages"
	umount -l -R "$root/proc" "$root/dev"
	umount -l "$root/door/ccache" 2>/dev/null
	umount -l "$root" 2>/dev/null
	rm -rf "$copy"
	return $rc
}

# Runs this script again in namespaces of its own.  unshare blocks signals, and
# the first process of a process namespace gets few: it is killed, and the
# kernel ends all others before unshare ends.  Should we be killed, that is the
# end of unshare, and that the end of the rest.
run_apart()
{
	local apart child

	# a group of its own, so that a terminal's signals are for us
	set -m
	setpriv --pdeathsig KILL unshare --mount --pid --ipc --fork --kill-child \
		--propagation private bash "$0" "$@" </dev/null &
	apart=$!
	set +m
	end_apart()
	{
		trap '' INT TERM HUP QUIT
		child=$(sed -n "s/^\([0-9]*\) (.*) [A-Z] $apart .*/\1/p" \
			/proc/[0-9]*/stat 2>/dev/null)
		kill -KILL "${child:-$apart}" 2>/dev/null
		wait "$apart" 2>/dev/null
		clear_away
		exit "$1"
	}
	trap 'end_apart 130' INT
	trap 'end_apart 143' TERM
	trap 'end_apart 129' HUP
	trap 'end_apart 131' QUIT
	wait "$apart" 2>/dev/null
}

# What a run leaves that has been ended
clear_away()
{
	[ -z "${copy:-}" ] || rm -rf "$copy"
	rm -rf "$dir.new" "$dir.new.packages" "$CHROOTS/ubuntu"
	{ flock -n 7 && rm -rf "$CHROOTS/none.new" "$CHROOTS/none.new.packages"; } \
		7>"$CHROOTS/none.lock"
}

# ---------------------------------------------------------------------------

usage()
{
	sed -n '/^#	chroot/,/^#$/s/^#//p' "$0" >&2
	exit 2
}

if [ "${1:-}" = major ]; then
	read_release
	for major in 13 14 15 16 17 18 19; do
		if [ "$(release_of "$ID" $major)" = "$CODENAME" ]; then
			say $major
		fi
	done
	exit
fi
[ $# -ge 2 ] || usage
verb=$1
major=$2
dir=$CHROOTS/$major
shift 2

case $verb in
	where)
		plan "$major"
		say "$RELEASE"
		;;
	clean)
		# not while it is used: what runs there would leave half a chroot
		[ -d "$dir" ] || exit 0
		exec 9>"$dir.lock"
		flock -w 3600 9 || skip "$dir is in use"
		rm -rf "$dir" "$dir".run[0-9]*
		;;
	test | run | hard)
		[ "$(id -u)" -eq 0 ] || skip "chroots need root"
		plan "$major"
		mkdir -p "$CHROOTS" || exit 1
		[ "$verb" != hard ] || dir+=-hard
		# one user of a chroot at a time, but for copies of it
		exec 9>"$dir.lock"
		{ [ "$verb" = run ] && flock -s -w 3600 9 && is_ready "$major" "$dir"; } ||
			flock -w 3600 9 || skip "$dir is in use"
		need
		# a place that no other run has
		copy=
		n=0
		if [ "$verb" = run ]; then
			until exec 8>"$dir.run$((++n)).lock" && flock -n 8; do :; done
			copy=$dir.run$n
		fi
		run_apart "$verb-inside" "$major" ${copy:+"$copy"} "$@"
		;;
	test-inside | run-inside | hard-inside)
		plan "$major"
		mount -t proc proc /proc || skip "this machine does not let us mount"
		if [ "$verb" = hard-inside ]; then
			dir+=-hard
			[ -x "$dir/bin/bash" ] || make_hard_chroot "$major" "$dir"
		else
			is_ready "$major" "$dir" || make_chroot "$major" "$dir"
		fi
		[ "$verb" != run-inside ] || flock -s 9
		case $verb in
			test-inside) test_in run.sh "$major" "$dir" "$@" ;;
			run-inside) run_in "$dir" "$@" ;;
			hard-inside) test_in hard-server.sh "$major" "$dir" "$@" ;;
		esac
		;;
	*)
		usage
		;;
esac
