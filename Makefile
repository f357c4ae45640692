# missing_symbol: upsert counters and query profiling for PostgreSQL
#
#   make && sudo make install     as every PGXS extension, VPATH and DESTDIR too
#   make installcheck             the tests, on the running server; it says what
#                                 it needs
#   make test                     set up, build and test on a private copy of
#                                 PostgreSQL; nothing to prepare
#   make test-all                 the same on every supported PostgreSQL
#   make test-door                these commands, on fresh machines and odd ones
#   make test-clients             drivers and ORMs, and their pages
#   make test-page                the HTML reports in a browser, two minutes
#   make test-hard                for hours: assertions, sanitizers, sqlsmith
#   make demo                     what it does, in a minute
#   make bench                    how fast it does it, in ten
#   make dist                     the archive for PGXN, of what is committed
#   make deb                      a Debian package, tried in a clean chroot
#
# All of them take PG_CONFIG=/path/to/pg_config.  The lists below are explicit
# because a wildcard is empty in a VPATH build.

MODULE_big = missing_symbol
OBJS = \
	src/missing_symbol.o \
	src/advice/again.o \
	src/advice/candidates.o \
	src/advice/conditions.o \
	src/advice/ddl.o \
	src/advice/existing.o \
	src/advice/facts.o \
	src/advice/facts_clauses.o \
	src/advice/facts_memory.o \
	src/advice/findings.o \
	src/advice/hypothetical.o \
	src/advice/planned.o \
	src/advice/prove.o \
	src/advice/undo.o \
	src/advice/workload.o \
	src/apply/apply.o \
	src/apply/count.o \
	src/apply/fast.o \
	src/apply/fast_state.o \
	src/apply/general.o \
	src/apply/general_sql.o \
	src/apply/insertion.o \
	src/apply/key.o \
	src/apply/judge.o \
	src/apply/leaves.o \
	src/apply/outcome.o \
	src/apply/plans.o \
	src/apply/probe.o \
	src/apply/search.o \
	src/aside/attempt.o \
	src/aside/backlog.o \
	src/aside/buffer.o \
	src/aside/delta.o \
	src/aside/deltas.o \
	src/aside/flush_lock.o \
	src/aside/fold.o \
	src/aside/fold_groups.o \
	src/aside/pending.o \
	src/aside/spill.o \
	src/aside/store.o \
	src/aside/sums.o \
	src/aside/worker.o \
	src/aside/worker_start.o \
	src/calls/calls.o \
	src/calls/describe.o \
	src/calls/discard.o \
	src/calls/fields.o \
	src/calls/fold_calls.o \
	src/calls/increment.o \
	src/calls/input.o \
	src/calls/limits.o \
	src/calls/once.o \
	src/calls/prune.o \
	src/calls/stats.o \
	src/calls/symbols.o \
	src/calls/total.o \
	src/calls/track.o \
	src/counter/amount.o \
	src/counter/clock.o \
	src/counter/counter.o \
	src/counter/tally.o \
	src/figures/histogram.o \
	src/figures/ratio.o \
	src/overview/counter_report.o \
	src/overview/gather.o \
	src/overview/overview_html.o \
	src/page/document.o \
	src/page/format.o \
	src/page/json.o \
	src/page/text.o \
	src/profile/candidates.o \
	src/profile/exec.o \
	src/profile/failure.o \
	src/profile/install.o \
	src/profile/kept.o \
	src/profile/level.o \
	src/profile/n_plus_one.o \
	src/profile/planner.o \
	src/profile/plans.o \
	src/profile/session.o \
	src/profile/shapes.o \
	src/profile/statement.o \
	src/profile/switch.o \
	src/profile/utility.o \
	src/report/advice.o \
	src/report/budget.o \
	src/report/digest.o \
	src/report/html.o \
	src/report/html_advice.o \
	src/report/html_parts.o \
	src/report/html_slow.o \
	src/report/html_timeline.o \
	src/report/report.o \
	src/report/slow.o \
	src/report/tags.o \
	src/report/views.o \
	src/shape/shape.o \
	src/shape/shape_cache.o \
	src/shape/shape_lex.o \
	src/shape/shape_words.o \
	src/slow/changes.o \
	src/slow/copy.o \
	src/slow/runs.o \
	src/slow/show.o \
	src/table/appender.o \
	src/table/catalog.o \
	src/table/search.o \
	src/table/speculative.o \
	src/table/view.o \
	src/target/acting.o \
	src/target/builtin.o \
	src/target/columns.o \
	src/target/defaults.o \
	src/target/index.o \
	src/target/infer.o \
	src/target/key_text.o \
	src/target/limits.o \
	src/target/origin.o \
	src/target/privileges.o \
	src/target/row.o \
	src/target/target.o \
	src/target/times.o \
	src/target/tracked.o \
	src/tokens/claim.o \
	src/tokens/expiry.o \
	src/tokens/token.o \
	src/trial/compare.o \
	src/trial/explain.o \
	src/trial/plan.o \
	src/trial/query.o \
	src/trial/rows.o \
	src/trial/setup.o \
	src/trial/traces.o
PGFILEDESC = "missing_symbol - upsert counters and query profiling"

EXTENSION = missing_symbol
DATA = \
	sql/missing_symbol--1.0.sql \
	sql/missing_symbol--1.0--1.1.sql \
	sql/missing_symbol--1.1--1.2.sql
# the interface as it is, for CREATE EXTENSION
DATA_built = missing_symbol--1.2.sql
DOCS = \
	doc/counting.md \
	doc/errors.md \
	doc/limits.md \
	doc/operations.md \
	doc/page.md \
	doc/performance.md \
	doc/profiling.md \
	doc/reliability.md \
	doc/security.md \
	doc/trials.md

# pg_regress: sql/NAME.sql and expected/NAME.out, one for each theme, in this
# order.  The extension is there when a theme starts.
REGRESS = \
	advice \
	advice_trust \
	advice_work \
	compare \
	counter \
	counter_report \
	counter_use \
	explain \
	explain_plan \
	profile \
	findings \
	findings_none \
	profile_gate \
	profile_n_plus_one \
	profile_page \
	profile_privileges \
	profile_stats \
	slow_runs \
	slow_trust \
	$(REGRESS_BOTH) \
	prune \
	target \
	contents

# those that must give the same on the general path: installcheck-general
REGRESS_BOTH = \
	increment \
	batch \
	calls \
	changed \
	counts \
	buffer \
	pending \
	defaults \
	configure \
	schemas \
	types \
	origin \
	reset \
	spill \
	symbols \
	tables \
	judged \
	partitions \
	once \
	triggers \
	trust \
	views \
	errors \
	limits \
	nulls_not_distinct \
	acting \
	discard \
	keys

# isolation: test/specs/NAME.spec and test/expected/NAME.out, likewise
ISOLATION = \
	absent \
	batch_order \
	buffer \
	counts \
	ddl \
	discard \
	findings \
	insert_race \
	judged \
	keys \
	keys_nulls \
	limits \
	once \
	partitions \
	partitions_concurrently \
	pending \
	prune \
	reindex \
	reset \
	row_lock \
	serializable \
	speculative \
	spill \
	throttle_race \
	total \
	views \
	waiter_time

# TAP: they start servers of their own
PROVE_TESTS = \
	test/t/acting.pl \
	test/t/advice.pl \
	test/t/advice_random.pl \
	test/t/buffer.pl \
	test/t/buffer_load.pl \
	test/t/calls.pl \
	test/t/compare.pl \
	test/t/citus.pl \
	test/t/cost.pl \
	test/t/counter_dump.pl \
	test/t/counts.pl \
	test/t/profile_coexist.pl \
	test/t/profile_corpus.pl \
	test/t/profile_failures.pl \
	test/t/profile_n_plus_one.pl \
	test/t/profile_protocol.pl \
	test/t/profile_settings.pl \
	test/t/profile_stream.pl \
	test/t/crash.pl \
	test/t/differential.pl \
	test/t/discard.pl \
	test/t/dump.pl \
	test/t/exact.pl \
	test/t/limits.pl \
	test/t/modules.pl \
	test/t/findings.pl \
	test/t/once.pl \
	test/t/explain.pl \
	test/t/pgbouncer.pl \
	test/t/plproxy.pl \
	test/t/protocols.pl \
	test/t/partitions.pl \
	test/t/pending.pl \
	test/t/prune.pl \
	test/t/readme.pl \
	test/t/replication.pl \
	test/t/sightings.pl \
	test/t/skew.pl \
	test/t/slow.pl \
	test/t/spill.pl \
	test/t/standby.pl \
	test/t/torture.pl \
	test/t/twophase.pl \
	test/t/unit.pl \
	test/t/upgrade.pl \
	test/t/worker.pl

REGRESS_OPTS = --load-extension=missing_symbol
# Themes find sql/include by it.  pg_regress says it itself from 15 on.
export PG_ABS_SRCDIR = $(srcdir)
# the database of the tests: orders of text, and collations of ICU
ENCODING = UTF8
NO_LOCALE = 1
ISOLATION_OPTS = --inputdir=$(srcdir)/test --load-extension=missing_symbol

# what every HTML page has in it, as strings of C
PAGE_PARTS = src/page/page.css.inc src/page/page.js.inc

EXTRA_CLEAN = output_general src/.built_for $(OBJS:.o=.d) $(PAGE_PARTS)

PG_CONFIG ?= pg_config

# The scripts below get these, and where this file is, in their environment,
# which can hold any name.
export PG_CONFIG
export MS_MAKEFILE := $(MAKEFILE_LIST)
IN_TOP = TOP=$$(dirname "$$(printf %s "$$MS_MAKEFILE" | sed 's/^ *//')");
RUN = @$(IN_TOP) exec bash "$$TOP/test

# These goals install what is missing themselves, so they must not need
# pg_config to begin with.
SELF_SUFFICIENT = test test-all test-clients test-door test-page test-hard demo bench dist deb

ifneq (,$(filter-out $(SELF_SUFFICIENT),$(or $(MAKECMDGOALS),all)))

PGXS := $(shell $(PG_CONFIG) --pgxs)
ifeq (,$(wildcard $(PGXS)))
$(error no PostgreSQL to build for ("$(PG_CONFIG) --pgxs" gives "$(PGXS)"): \
install postgresql-server-dev-NN, set PG_CONFIG, or run "make test")
endif
SERVER_HEADERS := $(shell $(PG_CONFIG) --includedir-server)
ifeq (,$(wildcard $(SERVER_HEADERS)/postgres.h))
$(error no server headers ("$(SERVER_HEADERS)" has no postgres.h): \
install postgresql-server-dev-NN, set PG_CONFIG, or run "make test")
endif

ifneq (,$(strip $(PROVE_TESTS)))
TAP_TESTS = 1
endif

# Debian's PostgreSQL 13 has no isolation tester
SPECS := $(ISOLATION)
ifeq (,$(wildcard $(dir $(PGXS))../test/isolation/pg_isolation_regress))
override ISOLATION =
endif

# PGXS's own ends with the first suite that fails.
NO_INSTALLCHECK = 1

# Which headers an object is of, the compiler says beside it.  PGXS has that
# only where PostgreSQL was configured with it, which Debian's is not, and then
# by the name of the file alone, whatever its room is.
override autodepend = no
override PG_CFLAGS += -MMD -MP
PG_CPPFLAGS = -I$(srcdir)/src -Isrc

include $(PGXS)

include $(wildcard $(OBJS:.o=.d))

# Documents have common names, so they get a directory of their own; and PGXS
# forgets on uninstall that they were in doc/.
docmoduledir := $(EXTENSION)
uninstall: uninstall-doc
uninstall-doc:
	rm -f $(addprefix '$(DESTDIR)$(docdir)/$(docmoduledir)'/, $(notdir $(DOCS)))
	[ ! -d '$(DESTDIR)$(docdir)/$(docmoduledir)' ] || rmdir '$(DESTDIR)$(docdir)/$(docmoduledir)'
.PHONY: uninstall-doc

# Objects are of the PostgreSQL that they were built for; and PGXS makes no
# directories in a VPATH build.
ROOMS := $(sort $(dir $(OBJS)))
BUILT_FOR := $(VERSION) $(SERVER_HEADERS) $(pkglibdir) $(ROOMS)
ifneq ($(BUILT_FOR),$(shell cat src/.built_for 2>/dev/null))
.PHONY: src/.built_for
endif
src/.built_for:
	@$(MKDIR_P) $(ROOMS)
	@echo '$(BUILT_FOR)' >$@

$(OBJS): src/.built_for

src/page/document.o: $(PAGE_PARTS)
$(PAGE_PARTS): %.inc: % src/.built_for
	sed -e 's/["\\]/\\&/g' -e 's/.*/"&\\n"/' $< >$@
$(OBJS:.o=.bc): %.bc: %.o

$(DATA_built): sql/install/missing_symbol.sql
	cp $< $@

# Bitcode for JIT is made by the clang that PostgreSQL was configured with.
ifeq ($(with_llvm),yes)
$(OBJS:.o=.bc): | has-clang
has-clang:
	@command -v $(firstword $(CLANG)) >/dev/null || { \
		echo 'There is no $(firstword $(CLANG)), which makes bitcode for JIT:' \
			'install it, or say "make with_llvm=no".' >&2; exit 1; }
.PHONY: has-clang
endif

# Each suite runs, whatever becomes of the others.
installcheck: installcheck-ready
	@rc=0; for suite in regress isolation tap; do \
		$(MAKE) --no-print-directory installcheck-$$suite || rc=1; \
	done; exit $$rc

installcheck-ready:
	$(RUN)/installcheck.sh" '$(bindir)' '$(srcdir)' \
		$(if $(strip $(REGRESS)$(ISOLATION)),server) $(if $(TAP_TESTS),tap)

installcheck-regress:
	@:
ifneq (,$(strip $(REGRESS)))
	$(pg_regress_installcheck) $(REGRESS_OPTS) $(REGRESS)
endif

installcheck-isolation:
	@:
ifneq (,$(strip $(ISOLATION)))
	$(pg_isolation_regress_installcheck) $(ISOLATION_OPTS) $(ISOLATION)
endif

installcheck-tap:
	@:
ifdef TAP_TESTS
	$(prove_installcheck)
endif

# The same answers again without the fast path.  Exported: what runs pg_regress
# may begin with another command.
installcheck-general:
	$(MKDIR_P) output_general
	export PGOPTIONS='-c missing_symbol.fast_path=off'; \
		$(pg_regress_installcheck) $(REGRESS_OPTS) \
		--outputdir=output_general $(REGRESS_BOTH)

.PHONY: installcheck-ready installcheck-regress installcheck-isolation \
	installcheck-tap installcheck-general

endif

# For test/run.sh: what the lists above say
list-tests:
	@echo 'regress $(strip $(REGRESS))'
	@echo 'general $(strip $(REGRESS_BOTH))'
	@echo 'isolation $(strip $(SPECS))'
	@echo 'tap $(strip $(PROVE_TESTS))'

test:
	$(RUN)/run.sh"

test-all:
	$(RUN)/test-all.sh"

test-clients:
	$(RUN)/clients/run.sh"

test-door:
	$(RUN)/door.sh"

test-page:
	$(RUN)/page.sh"

test-hard:
	$(RUN)/test-hard.sh"

demo:
	$(RUN)/demo/run.sh"

bench:
	$(RUN)/bench/run.sh"

deb:
	$(RUN)/hard/deb.sh"

dist:
	$(RUN)/dist.sh"

.PHONY: list-tests $(SELF_SUFFICIENT)
