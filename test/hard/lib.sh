# shellcheck shell=bash
#
# test/hard/lib.sh: for the parts of make test-hard that run in a throw-away
# chroot.  PART is the part's name.

# shellcheck source=test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

MS_OUT=
ms_scratch MS_OUT
: >"$MS_OUT/log"

# A line of test-hard's table: passed failed skipped, what it came to
hard_row()
{
	if [ -n "${RESULTS:-}" ]; then
		printf '%s %d %d %d %d %s\n' "$PART" "$1" "$2" "$3" "$SECONDS" \
			"$4" >>"$RESULTS"
	fi
}

hard_skip()
{
	ms_say "SKIPPED  $PART: $*"
	ms_say "0 passed, 0 failed"
	hard_row 0 0 1 SKIPPED
	exit 0
}

# A command, with what it prints in the log, too
hard_log()
{
	"$@" </dev/null 2>&1 | tee -a "$MS_OUT/log"
	return "${PIPESTATUS[0]}"
}

# chroot.sh run, with what it prints; skips the part where there is no chroot
hard_run()
{
	local -a run=(env "CHROOTS=${CHROOTS:-}" "MIRROR=${MIRROR:-}"
		bash "$MS_TOP/test/chroot.sh" run "$@")
	local rc

	command -v apt-get >/dev/null ||
		hard_skip "this is neither Debian nor Ubuntu"
	ms_as_root true ||
		hard_skip "a chroot needs root, or sudo without a password"
	ms_is_root || run=(sudo -n "${run[@]}")
	ms_wait_for hard_log "${run[@]}"
	rc=$?
	((rc != 77)) || hard_skip "$(tail -n 1 "$MS_OUT/log")"
	return "$rc"
}

hard_finish()
{
	local passed failed

	passed=$(grep -c '^ok ' "$MS_OUT/log")
	failed=$(grep -c '^FAILED ' "$MS_OUT/log")
	((passed + failed > 0)) || failed=1
	hard_row "$passed" "$failed" 0 "$1"
	ms_say "$passed passed, $failed failed"
	((failed == 0))
	exit
}
