#!/bin/bash
#
# test/run.sh: make test
#
# Builds with warnings as errors, and runs every suite on a private copy of
# PostgreSQL (see lib.sh).  Ends with the line "N passed, N failed", where N
# counts the checks of the build, regression themes, isolation specs and the
# single tests in the TAP files, as their runners report them.
#
# Environment (or "make test NAME=..."):
#	PG_CONFIG	the PostgreSQL to test with
#	SUITES		some of: build regress general isolation tap; general is the
#			part of regress that must give the same without the fast path
#	REGRESS, REGRESS_BOTH, ISOLATION, PROVE_TESTS
#			some of the Makefile's lists
#	PROFILE=all	with the profiler on in every session, to see that it
#			changes nothing
#	CC, EXTRA_CFLAGS	another compiler, with options of its own if need be;
#			further flags
#	RESULTS		a file for the table of test-all.sh
#	SIGHTINGS	requests to replay, as for make demo: file.csv or file.csv.gz
#	MS_SEED		of the tests that are random, which print it
#	MS_STATEMENTS	so many in profile_settings.pl (default: 40000)
#	ADVICE_*, TORTURE_*, DIFFERENTIAL_*, ONCE_*
#			seeds and more, of those TAP files
#	KEEP=1		keep the work directory

MS_PROGRAM="make test"
# shellcheck source=test/lib.sh
. "$(dirname "$0")/lib.sh"

SUITES=${SUITES:-build regress general isolation tap}
WARNINGS="-Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Werror"

# What cannot be is said before anything takes time.
for suite in $SUITES; do
	case $suite in
		build | regress | general | isolation | tap) ;;
		*) ms_die "there is no suite \"$suite\"" ;;
	esac
done
[ "${PROFILE:-all}" = all ] ||
	ms_die "PROFILE=$PROFILE: it can be \"all\" only"
if [ -n "${SIGHTINGS:-}" ]; then
	[ -r "$SIGHTINGS" ] || ms_die "SIGHTINGS: cannot read \"$SIGHTINGS\""
	SIGHTINGS=$(realpath -s "$SIGHTINGS")
fi

passed=0
failed=0
summary=()

# suite passed failed skipped seconds
finish_suite()
{
	passed=$((passed + $2))
	failed=$((failed + $3))
	summary+=("$(printf '%-10s %5d passed %4d failed %4d skipped %5d s' "$@")")
	if [ -n "${RESULTS:-}" ]; then
		printf '%s %d %d %d %d\n' "$@" >>"$RESULTS"
	fi
}

check()
{
	local what=$1

	shift
	if ms_wait_for "$@" >"$MS_WORK/log/check" 2>&1; then
		ok=$((ok + 1))
		ms_say "ok       $what"
	else
		bad=$((bad + 1))
		ms_say "FAILED   $what"
		sed 's/^/    /' "$MS_WORK/log/check"
	fi
}

# ---------------------------------------------------------------------------
# build: not "does it compile", which is tested by everything else, but what a
# packager relies on
# ---------------------------------------------------------------------------

# The library shows what PostgreSQL asks for and ms_*, nothing else.
exported_symbols()
{
	local others

	others=$(nm -D --defined-only "$MS_SRC/missing_symbol.so" |
		sed 's/.* //' | grep -Ev '^(ms_|pg_finfo_ms_|_PG_init$|Pg_magic_func$)')
	[ -z "$others" ] || {
		printf 'should be static, or start with ms_: %s\n' "$others"
		return 1
	}
}

# A VPATH build with DESTDIR installs the same files as one in the tree, the
# documents among them, and uninstall leaves none of them.
vpath_build()
{
	local build=$MS_WORK/vpath make file

	make=(ms_as_user make -C "$build" -f "$MS_SRC/Makefile"
		--no-print-directory PG_CONFIG="$MS_PG_CONFIG" with_llvm=no)
	ms_as_user mkdir "$build" || return 1
	# make prefers what is built in the VPATH
	ms_make clean || return 1
	"${make[@]}" -j2 all || return 1
	"${make[@]}" install DESTDIR="$MS_WORK/destdir" || return 1
	(cd "$MS_WORK/destdir$MS_WORK/pg" && find . -type f | sort) \
		>"$MS_WORK/log/vpath.files"
	(cd "$MS_WORK/pg" && find . -path '*missing_symbol*' -type f | sort) \
		>"$MS_WORK/log/tree.files"
	diff "$MS_WORK/log/tree.files" "$MS_WORK/log/vpath.files" || return 1
	for file in "$MS_SRC"/doc/*.md; do
		grep -q "/missing_symbol/$(basename "$file")\$" "$MS_WORK/log/vpath.files" ||
			{ echo "make install does not install doc/$(basename "$file")"; return 1; }
	done
	"${make[@]}" uninstall DESTDIR="$MS_WORK/destdir" || return 1
	! find "$MS_WORK/destdir" -type f | grep .
}

# Control file, META.json, CHANGELOG.md and install scripts say one version.
one_version()
{
	local version

	version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" \
		"$MS_SRC/missing_symbol.control")
	[ -e "$MS_SRC/missing_symbol--$version.sql" ] ||
		{ echo "the build makes no install script for $version"; return 1; }
	compgen -G "$MS_SRC/sql/missing_symbol--*--$version.sql" ||
		{ echo "no update script to $version"; return 1; }
	# PGXN wants three numbers
	grep -q "\"version\": \"$version.0\"" "$MS_SRC/META.json" ||
		{ echo "META.json has another version than $version"; return 1; }
	grep -q "^## $version\b" "$MS_SRC/CHANGELOG.md" ||
		{ echo "CHANGELOG.md does not mention $version"; return 1; }
}

# META.json is what PGXN wants.
pgxn_meta()
{
	perl "$MS_SRC/test/meta.pl" "$MS_SRC"
}

is_committed()
{
	local changes

	[ -e "$MS_TOP/.git" ] && command -v git >/dev/null || return 1
	changes=$(ms_git status --porcelain) &&
		[ -z "$changes" ]
}

# The archive that "make dist" makes of what is committed
pgxn_archive()
{
	mkdir -p "$MS_WORK/dist" &&
		make -s -C "$MS_TOP" dist DISTDIR="$MS_WORK/dist" &&
		perl "$MS_SRC/test/meta.pl" "$MS_SRC" "$MS_WORK"/dist/*.zip
}

# Every file that a list in the Makefile should name is named there: the
# lists are explicit, so that a forgotten line is a test that never runs.
complete_lists()
{
	local suite names file name rc=0

	ms_make -s list-tests >"$MS_WORK/log/lists.all"
	while read -r suite names; do
		case $suite in
			regress) set -- "$MS_SRC"/sql/*.sql ;;
			isolation) set -- "$MS_SRC"/test/specs/*.spec ;;
			tap) set -- "$MS_SRC"/test/t/*.pl ;;
			*) continue ;;
		esac
		for file in "$@"; do
			[ -e "$file" ] || continue
			name=$(basename "$file")
			case $name in *--*) continue ;; esac
			[ "$suite" = tap ] || name=${name%.*}
			case " $names " in
				*" $name "* | *"/$name "*) ;;
				*)
					echo "$suite: $name is not in the Makefile"
					rc=1
					;;
			esac
		done
	done <"$MS_WORK/log/lists.all"
	return $rc
}

# The maps have every file: src/README.md those of src/, a row each;
# test/README.md those of test/, test/hard and test/t, and the directories.  And
# src/README.md has none that is not there.
complete_map()
{
	local file name rc=0

	while read -r name; do
		grep -qF "| \`$name\` |" "$MS_SRC/src/README.md" ||
			{ echo "src/README.md does not say what $name is"; rc=1; }
	done < <(find "$MS_SRC/src" -name '*.[ch]' -printf '%P\n' | sort)
	# shellcheck disable=SC2016
	while read -r name; do
		[ -e "$MS_SRC/src/$name" ] ||
			{ echo "src/README.md has $name, which is not there"; rc=1; }
	done < <(sed -n 's/^| `\([^`*]*\.[ch]\)` |.*/\1/p' "$MS_SRC/src/README.md")
	for file in "$MS_SRC"/test/* "$MS_SRC"/test/hard/* "$MS_SRC"/test/t/*; do
		name=$(basename "$file")
		[ ! -d "$file" ] || name+=/
		[ "$name" = README.md ] || grep -q "^|.*\`$name\`" "$MS_SRC/test/README.md" ||
			{ echo "test/README.md does not say what $name is"; rc=1; }
	done
	for file in "$MS_SRC"/src/*/*.[ch]; do
		name=${file#"$MS_SRC/src/"}
		grep -qF "| \`$name\` |" "$MS_SRC/src/README.md" ||
			{ echo "src/README.md does not say what $name is"; rc=1; }
	done
	return $rc
}

# Documents that people can read: see documents.pl.
readable_documents()
{
	perl "$MS_SRC/test/documents.pl" "$MS_SRC"
}

# doc/errors.md has every error that the sources raise, with
# "..." for what varies: each begins a piece of code there.
complete_errors()
{
	local sources

	mapfile -t sources < <(find "$MS_SRC/src" -name '*.c')
	perl -0777 -e '
		my ($document, @sources) = map { open my $f, "<", $_ or die "$_: $!"; <$f> } @ARGV;
		my ($errors, %missing) = (0);
		my $piece = qr/"(?:[^"\\]|\\.)*"|U?INT64_FORMAT/;
		foreach my $call (map { /\b(?:ereport\(ERROR|ereturn\(\w).*?\)\);/sg } @sources) {
			foreach my $message ($call =~ /\berrmsg(?:_plural)?\(\s*((?:$piece\s*)+)/g) {
				$message = join "", map { /^"(.*)"$/s ? $1 : "%d" } $message =~ /$piece/g;
				$message =~ s/%[\d.*]*l*[a-zA-Z]/.../g;
				$message =~ s/\\(.)/$1/g;
				$missing{$message} = 1 if index($document, "`$message") < 0;
				$errors++;
			}
		}
		print "doc/errors.md has no \"$_\"\n" foreach sort keys %missing;
		print "found $errors errors only\n" if $errors < 50;
		exit(%missing || $errors < 50);
	' "$MS_SRC/doc/errors.md" "${sources[@]}"
}

# A site that has a policy of its own allows a page's style and script by their
# hashes, which the manual says; README shows a picture that people can load.
page_parts()
{
	perl -MDigest::SHA=sha256_base64 -0777 -e '
		my ($dir) = @ARGV;
		my %text = map { open my $f, "<", "$dir/$_" or die "$dir/$_: $!\n"; ($_ => scalar <$f>) }
			qw(src/page/page.css src/page/page.js doc/page.md README.md);
		my $bad = 0;
		foreach my $part (["style-src ", "src/page/page.css"], ["script-src", "src/page/page.js"]) {
			my $line = "$part->[0] \x27sha256-" . sha256_base64($text{$part->[1]}) . "=\x27";
			next if index($text{"doc/page.md"}, "\n$line\n") >= 0;
			print "doc/page.md does not have this line: $line\n";
			$bad = 1;
		}
		my ($picture) = $text{"README.md"} =~ /!\[[^]]+\]\(([^)]+)\)/ or die "README.md shows no picture\n";
		my $size = -s "$dir/$picture" or die "there is no $picture\n";
		die "$picture has $size bytes\n" if $size > 200 * 1024;
		exit $bad;
	' "$MS_SRC"
}

# Rooms on floors: no arrow goes up, none across, none in a circle.
arrows()
{
	perl "$MS_SRC/test/arrows.pl" "$MS_SRC"
}

suite_build()
{
	local ok=0 bad=0 skip=0 start=$SECONDS

	ms_say "--- build"
	check "exported symbols" exported_symbols
	check "arrows" arrows
	check "one version everywhere" one_version
	check "META.json is valid" pgxn_meta
	if is_committed; then
		check "make dist" pgxn_archive
	else
		ms_say "SKIPPED  make dist: this is no git checkout, seen by git" \
			"(package git), where everything is committed"
		skip=1
	fi
	check "every test file is in the Makefile" complete_lists
	check "every file is in a map" complete_map
	check "every error is in doc/errors.md" complete_errors
	check "documents" readable_documents
	check "a page's style and script, and README's picture" page_parts
	check "VPATH and DESTDIR" vpath_build
	finish_suite build "$ok" "$bad" "$skip" $((SECONDS - start))
}

# ---------------------------------------------------------------------------
# regress and isolation
# ---------------------------------------------------------------------------

# Until 15: "test NAME ... ok" and "... FAILED"; from 16 on TAP.
results_of()
{
	grep -E '^(not )?ok [0-9]+ |^(test|    ) ?[^ ]+ +\.\.\. (ok|FAILED)' "$1" |
		sed -E -e 's/^not ok [0-9]+ +[-+] ([^ ]+) +([0-9]+ ms)?.*/FAILED   \1  \2/' \
			-e 's/^ok [0-9]+ +[-+] ([^ ]+) +([0-9]+ ms)?.*/ok       \1  \2/' \
			-e 's/^(test|    ) ?([^ ]+) +\.\.\. (ok|FAILED).* ([0-9]+ ms).*/\3 \2  \4/' \
			-e 's/^(test|    ) ?([^ ]+) +\.\.\. (ok|FAILED).*/\3 \2/' \
			-e 's/^ok +/ok       /' -e 's/^FAILED +/FAILED   /'
}

# suite, directory of its output, names
run_pg_regress()
{
	local suite=$1 out=$2 goal=installcheck log start=$SECONDS ok bad rc
	local -a lists

	shift 2
	log=$MS_WORK/log/$suite
	case $suite in
		regress) lists=(REGRESS="$*" ISOLATION= TAP_TESTS=) ;;
		general) goal=installcheck-general lists=(REGRESS_BOTH="$*") ;;
		isolation) lists=(REGRESS= ISOLATION="$*" TAP_TESTS=) ;;
	esac
	ms_say "--- $suite"
	ms_wait_for ms_make "${lists[@]}" "$goal" >"$log" 2>&1 </dev/null
	rc=$?
	results_of "$log"
	ok=$(results_of "$log" | grep -c '^ok ')
	bad=$(results_of "$log" | grep -c '^FAILED ')
	if ((ok + bad < $#)); then
		# the runner itself failed
		cat "$log"
		bad=$(($# - ok))
	elif ((rc != 0 && bad == 0)); then
		tail -n 40 "$log"
		bad=1
	fi
	if ((bad > 0)) && [ -s "$out/regression.diffs" ]; then
		ms_say "--- $suite: regression.diffs"
		cat "$out/regression.diffs"
	fi
	finish_suite "$suite" "$ok" "$bad" 0 $((SECONDS - start))
}

# ---------------------------------------------------------------------------
# TAP
# ---------------------------------------------------------------------------

# Test file by test file, so that one sees how far it is.
suite_tap()
{
	local start=$SECONDS ok=0 bad=0 skip=0 file log begin rc tests wrong skips
	local seconds
	local -a chosen

	mapfile -t chosen < <(env | grep -E '^(ADVICE|TORTURE|DIFFERENTIAL|ONCE)_[A-Z]+=')
	ms_say "--- tap"
	for file in "$@"; do
		log=$MS_WORK/log/$(basename "$file")
		begin=$SECONDS
		ms_wait_for \
			ms_make ${PROFILE:+TEMP_CONFIG="$MS_WORK/settings"} \
			REGRESS= ISOLATION= TAP_TESTS=1 PROVE_TESTS="$file" \
			PROVE_FLAGS=-v RELEASED="$MS_WORK/released" "${chosen[@]}" \
			${MS_SEED:+MS_SEED="$MS_SEED"} \
			${MS_STATEMENTS:+MS_STATEMENTS="$MS_STATEMENTS"} ${SIGHTINGS:+SIGHTINGS="$MS_WORK/sightings"} \
			installcheck >"$log" 2>&1 </dev/null
		rc=$?
		seconds=$((SECONDS - begin))
		tests=$(sed -n 's/^Files=.*, Tests=\([0-9]*\),.*/\1/p' "$log")
		wrong=$(sed -n 's/.*(Wstat: .* Tests: [0-9]* Failed: \([0-9]*\)).*/\1/p' \
			"$log")
		tests=${tests:-0}
		wrong=${wrong:-0}
		if ((rc != 0 && wrong == 0)); then
			# no plan, died, or not run at all
			wrong=1
			tests=$((tests + 1))
		fi
		skips=$(grep -cE '^ok [0-9]+ .*# skip' "$log")
		if grep -qE '^[^ ]*\.pl \.+ skipped: ' "$log"; then
			skips=1
		fi
		if grep -rE 'TRAP:|runtime error:|AddressSanitizer' "$MS_SRC/tmp_check/log" \
			2>/dev/null; then
			wrong=$((wrong + 1))
			tests=$((tests + 1))
		fi
		ok=$((ok + tests - wrong - (tests > 0 ? skips : 0)))
		bad=$((bad + wrong))
		skip=$((skip + skips))
		if ((wrong > 0)); then
			ms_say "FAILED   $(basename "$file")  $wrong of $tests tests," \
				"$seconds s"
			# what the tests say is long; of a death the end tells
			grep -E '^(not ok|#|Bail out)' "$log" | head -n 80 | sed 's/^/    /'
			grep -vE '^(ok|not ok|#|echo|rm -rf|cd )' "$log" | tail -n 20 |
				sed 's/^/    /'
			find "$MS_SRC/tmp_check/log" -name 'regress_log_*' -o -name '*.log' \
				2>/dev/null |
				sort | while read -r server; do
				ms_say "    --- the end of $(basename "$server")"
				tail -n 25 "$server" | sed 's/^/    /'
			done
		else
			ms_say "ok       $(basename "$file")  $tests tests, $seconds s"
		fi
		sed -nE -e 's/^# (seed [0-9]+|[A-Z]+_SEED=[0-9]+)$/         \1/p' \
			-e 's/^ok [0-9]+ .*# skip */SKIPPED  /p' \
			-e 's/^[^ ]*\.pl \.+ skipped: */SKIPPED  /p' "$log"
	done
	finish_suite tap "$ok" "$bad" "$skip" $((SECONDS - start))
}

# ---------------------------------------------------------------------------

# Prints the latest commit of the release before: the last one whose control
# file has another version.
release_before()
{
	local git=(git -c safe.directory='*' -C "$MS_TOP") current commit version

	current=$(sed -n '/^default_version/p' "$MS_TOP/missing_symbol.control")
	"${git[@]}" rev-list HEAD -- missing_symbol.control | while read -r commit; do
		version=$("${git[@]}" show "$commit^:missing_symbol.control" |
			sed -n '/^default_version/p') || break
		if [ -n "$version" ] && [ "$version" != "$current" ]; then
			"${git[@]}" rev-parse "$commit^"
			break
		fi
	done
}

# The library of that release, for skew.pl, in $MS_WORK/released; or why there
# is none
build_release()
{
	local dir=$MS_WORK/released commit

	mkdir -p "$dir"
	if ! [ -e "$MS_TOP/.git" ] || ! command -v git >/dev/null; then
		echo "this is no git checkout" >"$dir/why"
	elif commit=$(release_before 2>/dev/null); [ -z "$commit" ]; then
		echo "the history does not go back to it" >"$dir/why"
	elif ! git -c safe.directory='*' -C "$MS_TOP" archive "$commit" |
		tar -x -C "$dir"; then
		echo "git archive $commit failed" >"$dir/why"
	else
		ms_own
		ms_as_user make -C "$dir" --no-print-directory -j2 \
			PG_CONFIG="$MS_PG_CONFIG" with_llvm=no all \
			>"$MS_WORK/log/released" 2>&1 </dev/null ||
			echo "it does not build for PostgreSQL $MS_MAJOR" >"$dir/why"
	fi
	ms_own
}

# ---------------------------------------------------------------------------

begin=$SECONDS
needs=(tap nm=binutils)
case " $SUITES " in *" tap "*) needs+=(clients) ;; esac
[ -z "${CC:-}" ] || sh -c "$CC --version" >/dev/null 2>&1 ||
	ms_die "CC: \"$CC --version\" does not work"
ms_setup "${needs[@]}"
ms_begin
if [ -n "${SIGHTINGS:-}" ]; then
	gzip -dcf -- "$SIGHTINGS" >"$MS_WORK/sightings" ||
		ms_die "SIGHTINGS: cannot read \"$SIGHTINGS\""
	chmod 644 "$MS_WORK/sightings"
fi
# Its words are split as make's shell does it.
compiler=$(sh -c "${CC:-gcc} --version" | head -n 1)
if [[ $compiler == *clang* ]]; then
	# PostgreSQL was configured for gcc: flags, and attributes in its headers
	WARNINGS+=" -Wno-ignored-optimization-argument -Wno-ignored-attributes"
	WARNINGS+=" -Wno-unknown-warning-option"
fi
ms_say "missing_symbol on $("$MS_PG_CONFIG" --version), $compiler"
if [ "$(tr -d ' ' <<<"$SUITES${PROVE_TESTS:-}")" = buildregressgeneralisolationtap ]; then
	ms_say "This takes about ten minutes; without the suite tap, SUITES=\"build" \
		"regress general isolation\", two."
fi
if ! ms_build ${CC:+CC="$CC"} COPT="$WARNINGS ${EXTRA_CFLAGS:-}"; then
	ms_say "The build failed."
	finish_suite build 0 1 0 $((SECONDS - begin))
	ms_say "$passed passed, $failed failed"
	exit 1
fi

# Lists from the command line, else the Makefile's
ms_make -s ${REGRESS+REGRESS="$REGRESS"} \
	${REGRESS_BOTH+REGRESS_BOTH="$REGRESS_BOTH"} ${ISOLATION+ISOLATION="$ISOLATION"} \
	${PROVE_TESTS+PROVE_TESTS="$PROVE_TESTS"} list-tests \
	>"$MS_WORK/log/lists"
read -r -a regress < <(sed -n 's/^regress //p' "$MS_WORK/log/lists")
read -r -a general < <(sed -n 's/^general //p' "$MS_WORK/log/lists")
read -r -a isolation < <(sed -n 's/^isolation //p' "$MS_WORK/log/lists")
read -r -a tap < <(sed -n 's/^tap //p' "$MS_WORK/log/lists")

# For every session of every server, those of the TAP tests too
settings=()
if [ -n "${PROFILE:-}" ]; then
	settings=("session_preload_libraries = 'missing_symbol'"
		"missing_symbol.profile = '$PROFILE'")
	printf '%s\n' "${settings[@]}" | ms_as_user tee "$MS_WORK/settings" >/dev/null
fi

tester=$(dirname "$("$MS_PG_CONFIG" --pgxs)")
tester+=/../test/isolation/pg_isolation_regress

case " $SUITES " in
	*" regress "* | *" general "* | *" isolation "*)
		if ! ms_start "fsync = off" "${settings[@]}"; then
			ms_say "The server did not start."
			finish_suite server 0 1 0 0
		elif [ -n "${PROFILE:-}" ] && [ "$(ms_as_user psql -XAtq -d postgres \
			-c "SELECT vartype, setting FROM pg_settings WHERE name = 'missing_symbol.profile'")" \
			!= "enum|$PROFILE" ]; then
			ms_say "FAILED   the profiler is not on"
			finish_suite server 0 1 0 0
		fi
		;;
esac
for suite in $SUITES; do
	case $suite in
		build)
			suite_build
			;;
		regress)
			if ((${#regress[@]} > 0)); then
				run_pg_regress regress "$MS_SRC" "${regress[@]}"
			fi
			;;
		general)
			if ((${#general[@]} > 0)); then
				run_pg_regress general "$MS_SRC/output_general" "${general[@]}"
			fi
			;;
		isolation)
			if ((${#isolation[@]} > 0)) && ! [ -x "$tester" ]; then
				ms_say "--- isolation"
				ms_say "SKIPPED  all specs: PostgreSQL $MS_MAJOR comes" \
					"without an isolation tester"
				finish_suite isolation 0 0 "${#isolation[@]}" 0
			elif ((${#isolation[@]} > 0)); then
				run_pg_regress isolation "$MS_SRC/output_iso" "${isolation[@]}"
			fi
			;;
		tap)
			if ((${#tap[@]} > 0)); then
				case " ${tap[*]} " in
					*/skew.pl*) build_release ;;
				esac
				suite_tap "${tap[@]}"
			fi
			;;
	esac
done

if [ -e "$MS_WORK/log/server" ] &&
	grep -E "$MS_CRASHES" "$MS_WORK/log/server"; then
	ms_say "FAILED   the server crashed, see above"
	finish_suite server 0 1 0 0
fi

ms_say "---"
printf '%s\n' "${summary[@]}"
ms_say "$((SECONDS - begin)) s"
ms_say "$passed passed, $failed failed"
((failed == 0 && passed > 0))
