#!/bin/bash
#
# test/clients/run.sh: make test-clients
#
# Runs statements.tsv through every client that Debian and npm have, and compares
# what comes with the table in doc/clients/README.md; then runs doc/clients/*.md,
# word for word, each of which has what TOPICS of page.py names.  A client whose
# package cannot be had is skipped, loudly.  Ends with the line "N passed, N failed".
#
# ON=18 does it in a chroot of the release that has PostgreSQL 18 (chroot.sh), with
# the frameworks of that release; those of npm are the same everywhere, and are run
# on the machine only.
#
# Environment (or "make test-clients NAME=..."):
#	PG_CONFIG	the PostgreSQL to test with
#	MODES		some of modes.tsv's, "-" for none: names, separated by blanks
#	PAGES		some of doc/clients, "-" for none: names without .md
#	RESULTS		a file for the table of test-all.sh
#	UPDATE=1	writes what ran into the table, and the first line of each page
#	ON		a major version, "" for the machine's release
#	KEEP=1		keep the work directory

MS_PROGRAM="make test-clients"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/../lib.sh"

CLIENTS=$MS_TOP/test/clients
CACHE=/var/cache/missing_symbol-clients
export PYTHONDONTWRITEBYTECODE=1
RELEASE=$(sed -n 's/^VERSION_CODENAME="*\([^"]*\).*/\1/p' /etc/os-release)
NODE_MODULES=
passed=0
failed=0
skipped=0

skip()
{
	skipped=$((skipped + 1))
	ms_say "SKIPPED  $1: $2"
}

fail()
{
	failed=$((failed + 1))
	ms_say "FAILED   $1"
	[ -z "${2:-}" ] || tail -n 15 "$2" | sed 's/^/    /'
}

# modes.tsv without its comments: name, road, package, command
modes() { grep -v '^#' "$CLIENTS/modes.tsv" | if in_chroot; then grep -v package.json; else cat; fi; }

# Is this what ON has started?
in_chroot() { [ -n "${IN_CHROOT:-}" ]; }

# The same in a chroot.  What it has written comes back.
run_on()
{
	local out rc

	ms_scratch out
	bash "$MS_TOP/test/chroot.sh" run "$ON" test/clients/run.sh OUT="$out" IN_CHROOT=1 RESULTS=/srv/out/results \
		PG_CONFIG="/usr/lib/postgresql/$ON/bin/pg_config" MODES="${MODES:-}" PAGES="${PAGES:-}" UPDATE="${UPDATE:-}"
	rc=$?
	[ -z "${RESULTS:-}" ] || ! [ -e "$out/results" ] || cat "$out/results" >>"$RESULTS"
	[ -z "${UPDATE:-}" ] || cp "$out"/*.md "$MS_TOP/doc/clients/"
	exit $rc
}

# Is there what a mode needs?
have()
{
	case $1 in
		package.json) [ -n "$NODE_MODULES" ] ;;
		*) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
	esac
}

# Sets NODE_MODULES to what package.json names, installed; it is kept.  Prisma would
# download a program that it needs for migrations only, were there none.
install_npm()
{
	local sum base

	NODE_MODULES=
	command -v npm >/dev/null || return 0
	sum=$(cat "$CLIENTS/package.json" "$CLIENTS/schema.prisma" | sha256sum | cut -c 1-16)
	mkdir -p "$CACHE" 2>/dev/null
	for base in "$CACHE" "$MS_WORK/npm"; do
		mkdir -p "$base/$sum" 2>/dev/null && [ -w "$base/$sum" ] || continue
		[ -e "$base/$sum/done" ] || (
			cd "$base/$sum" && cp "$CLIENTS/package.json" "$CLIENTS/schema.prisma" . &&
				npm install --ignore-scripts --no-audit --no-fund --no-package-lock \
					>"$MS_WORK/log/npm" 2>&1 &&
				PRISMA_SCHEMA_ENGINE_BINARY=/bin/true node node_modules/prisma/build/index.js \
					generate --schema schema.prisma >>"$MS_WORK/log/npm" 2>&1 && touch "$base/$sum/done"
		) && chmod -R a+rX "$base/$sum" && NODE_MODULES=$base/$sum/node_modules
		break
	done
	[ -n "$NODE_MODULES" ] || skip "npm" "$(tail -n 1 "$MS_WORK/log/npm" 2>/dev/null || echo 'it is not there')"
}

# Sets PORT to one that is free.
free_port()
{
	PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
}

psql() { ms_as_user env PGPORT="$PORT" psql -XAtq -v ON_ERROR_STOP=1 "$@"; }

# A command as a client: socket directory, port, database, and the command
client()
{
	local host=$1 port=$2 database=$3

	shift 3
	(cd "$MS_SRC/test/clients" && ms_as_user env PGHOST="$host" PGPORT="$port" PGTCPPORT="$PORT" \
		PGDATABASE="$database" NODE_PATH="$NODE_MODULES" PRISMA_CLIENT="${NODE_MODULES%/*}/prisma-client" \
		PRISMA_SCHEMA_ENGINE_BINARY=/bin/true CHECKPOINT_DISABLE=1 GO111MODULE=off \
		GOPATH=/usr/share/gocode GOCACHE="$MS_SHORT/tmp/go" PYTHONDONTWRITEBYTECODE=1 PAGES="$MS_SRC/doc/clients" \
		CARGO_HOME="$MS_SHORT/tmp/cargo" CARGO_TARGET_DIR="$MS_SHORT/tmp/rust" CARGO_NET_OFFLINE=true \
		PATH="$MS_PGBIN:/usr/bin:/bin:/usr/sbin:/usr/local/bin" timeout 600 "$@")
}

# Starts a pgbouncer for all databases; its socket is in the work directory.  A
# client's transactions are in two sessions by turns.
start_pgbouncer()
{
	local dir=$MS_SHORT/b

	command -v pgbouncer >/dev/null || return 1
	mkdir -p "$dir"
	printf '"%s" ""\n' "$MS_SUPER" >"$dir/users"
	cat >"$dir/ini" <<-END
		[databases]
		* = host=$MS_SHORT/s port=$PORT user='$MS_SUPER'
		[pgbouncer]
		listen_addr =
		unix_socket_dir = $dir
		listen_port = $PORT
		auth_type = any
		auth_file = $dir/users
		pool_mode = transaction
		default_pool_size = 2
		server_round_robin = 1
		ignore_startup_parameters = extra_float_digits
		logfile = $dir/log
		pidfile = $dir/pid
	END
	ms_own
	ms_as_user pgbouncer -d "$dir/ini" >"$MS_WORK/log/pgbouncer" 2>&1
}

# both sessions that a pool may have, at once
fill_pool()
{
	local each

	for each in 1 2; do
		ms_as_user env PGHOST="$MS_SHORT/b" PGPORT="$PORT" psql -XAtqd "$1" -c 'BEGIN; SELECT pg_sleep(0.5); COMMIT' \
			>/dev/null &
	done
	wait
}

# client.go with a client, once
build_go()
{
	local files=(client.go "client_$1.go") keys=$1_keys.go

	if [ -e "$MS_SRC/doc/clients/$keys" ]; then
		cp "$MS_SRC/doc/clients/$keys" "$MS_SRC/test/clients/"
		files+=("$keys")
	fi
	[ -x "$MS_SHORT/tmp/$1" ] ||
		client - - - go build -o "$MS_SHORT/tmp/$1" "${files[@]}" >"$MS_WORK/log/go" 2>&1
}

# Rust's packages are those of Debian
use_rust()
{
	mkdir -p "$MS_SHORT/tmp/cargo"
	printf '%s\n' '[source.crates-io]' 'replace-with = "debian"' '[source.debian]' \
		'directory = "/usr/share/cargo/registry"' >"$MS_SHORT/tmp/cargo/config.toml"
	ms_own
}

# client.rs, once
build_rust()
{
	cp "$MS_SRC/doc/clients/tokio_postgres_keys.rs" "$MS_SRC/test/clients/"
	ms_own
	[ -x "$MS_SHORT/tmp/rust/debug/client" ] || client - - - cargo build -q >"$MS_WORK/log/rust" 2>&1
}

run_modes()
{
	local program mode road package command database out host n=0 counted

	start_pgbouncer || skip "pgbouncer" "it is not there (package pgbouncer)"
	psql -d postgres -c 'CREATE DATABASE base'
	psql -d base -f "$MS_SRC/test/clients/base.sql"
	while IFS=$'\t' read -r mode road package command <&3; do
		case " ${MODES:-$mode} " in *" $mode "*) ;; *) continue ;; esac
		if ! have "$package"; then
			skip "$mode" "there is no package $package"
			continue
		fi
		host=$MS_SHORT/s
		if [ "$road" = pgbouncer ]; then
			host=$MS_SHORT/b
			[ -S "$host/.s.PGSQL.$PORT" ] || continue
		fi
		database=c$((++n))
		psql -d postgres -c "CREATE DATABASE $database TEMPLATE base"
		[ "$road" != pgbouncer ] || fill_pool "$database"
		out="$MS_WORK/out/$mode"
		case $command in
			GO*)
				read -r _ program _ <<<"$command"
				build_go "$program" || fail "client_$program.go does not build" "$MS_WORK/log/go"
				command="$MS_SHORT/tmp/${command#GO } $(dpkg-query -W -f '${Version}' "$package" | sed 's/[-+~].*//')"
				;;
			RUST*)
				build_rust || fail "client.rs does not build" "$MS_WORK/log/rust"
				command="$MS_SHORT/tmp/rust/debug/client ${command#RUST } $(dpkg-query -W -f '${Version}' "$package" |
					sed 's/[-+~].*//')"
				;;
			python3*) command=/usr/bin/$command ;;
		esac
		# shellcheck disable=SC2086
		if ! client "$host" "$PORT" "$database" $command >"$out" 2>"$MS_WORK/log/client"; then
			fail "$mode" "$MS_WORK/log/client"
			rm -f "$out"
			continue
		fi
		# what it was told is what is committed
		counted=$(psql -d "$database" -c "SELECT count FROM by_text WHERE name = 'home'")
		[ "$counted" = 9 ] || fail "$mode: $counted increments are committed, not 9"
	done 3< <(modes)
	/usr/bin/python3 "$CLIENTS/table.py" "$MS_WORK/out" "$MS_TOP/doc/clients/README.md" \
		"$RELEASE" ${UPDATE:+update} \
		>"$MS_WORK/log/table" || fail "table.py" "$MS_WORK/log/table"
	sed '$d' "$MS_WORK/log/table"
	read -r n counted < <(tail -n 1 "$MS_WORK/log/table")
	passed=$((passed + n))
	failed=$((failed + counted))
}

run_pages()
{
	local page name database

	for page in "$MS_TOP"/doc/clients/*.md; do
		name=$(basename "$page" .md)
		[ "$name" != README ] || continue
		case " ${PAGES:-$name} " in *" $name "*) ;; *) continue ;; esac
		! in_chroot || ! grep -q '^<!-- needs npm:' "$page" || continue
		if ! NODE_PATH=$NODE_MODULES /usr/bin/python3 "$CLIENTS/page.py" "$page" needs 2>"$MS_WORK/log/needs"; then
			skip "$name.md" "$(tail -n 1 "$MS_WORK/log/needs")"
			continue
		fi
		/usr/bin/python3 "$CLIENTS/page.py" "$page" topics 2>"$MS_WORK/log/topics" || fail "$name.md" "$MS_WORK/log/topics"
		mkdir -p "$MS_WORK/pages/$name"
		ms_own
		database=page_$(tr -c 'a-z\n' _ <<<"$name")
		psql -d postgres -c "CREATE DATABASE $database"
		if client "$MS_SHORT/s" "$PORT" "$database" /usr/bin/python3 page.py "$MS_SRC/doc/clients/$name.md" \
			run "$MS_WORK/pages/$name" >"$MS_WORK/log/page" 2>&1 </dev/null; then
			passed=$((passed + 1))
			ms_say "ok       $name.md: $(tail -n 1 "$MS_WORK/log/page")"
			[ -z "${UPDATE:-}" ] || /usr/bin/python3 "$CLIENTS/page.py" "$page" tested "$RELEASE" \
				"$(sed -n 's/^tested with //p' "$MS_WORK/log/page")"
		else
			fail "$name.md" "$MS_WORK/log/page"
		fi
	done
}

[ -z "${ON:-}" ] || run_on
mapfile -t MS_CLIENTS < <(modes | cut -f 3 | grep -v package.json | sort -u)
for package in "${MS_CLIENTS[@]}" php-illuminate-events golang-go cargo phpunit junit4 pgbouncer nodejs npm \
	php-cli default-jdk-headless; do
	case $package in
		nodejs | npm) { in_chroot || command -v "$package" >/dev/null; } && continue ;;
		default-jdk-headless) command -v javac >/dev/null && continue ;;
	esac
	have "$package" || MS_WANTED+=("$package")
done
# a new chroot has no lists of packages
if ((${#MS_WANTED[@]} > 0)) && ! ms_apt_has python3-psycopg && ms_as_root true; then
	ms_to_its_end ms_as_root apt-get -q update </dev/null >/dev/null 2>&1
fi
ms_setup
ms_begin
mkdir -p "$MS_WORK/out"
ms_say "Clients of missing_symbol, on $("$MS_PG_CONFIG" --version)"
in_chroot || install_npm
options=()
# nothing is cached there, and no speed is measured
! in_chroot || options=(COPT=-O0)
ms_build "${options[@]}" || exit 1
free_port
ms_start "fsync = off" || exit 1
printf '%s\n' "listen_addresses = '127.0.0.1'" "port = $PORT" | ms_as_user tee -a "$MS_WORK/data/postgresql.conf" >/dev/null
ms_wait_for ms_as_user pg_ctl -D "$MS_WORK/data" -l "$MS_WORK/log/server" -w restart >"$MS_WORK/log/pg_ctl" 2>&1 </dev/null ||
	ms_die "the server did not start again"
use_rust
[ "${MODES:-}" = - ] || run_modes
[ "${PAGES:-}" = - ] || run_pages
if grep -E "$MS_CRASHES" "$MS_WORK/log/server"; then
	fail "the server crashed, see above"
fi
! in_chroot || cp "$MS_TOP"/doc/clients/*.md /srv/out/
[ -z "${RESULTS:-}" ] || printf 'tap %d %d %d %d\n' "$passed" "$failed" "$skipped" "$SECONDS" >>"$RESULTS"
((skipped == 0)) || ms_say "$skipped skipped, see above"
ms_say "$passed passed, $failed failed"
((failed == 0 && passed > 0))
