# missing_symbol: upsert counters and query profiling for PostgreSQL

MODULE_big = missing_symbol
OBJS = \
	src/counter.o \
	src/fast.o \
	src/general.o \
	src/increment.o \
	src/input.o \
	src/missing_symbol.o \
	src/target.o \
	src/tracked.o
PGFILEDESC = "missing_symbol - upsert counters and query profiling"

EXTENSION = missing_symbol
DATA = sql/missing_symbol--1.0.sql

# One .sql and .out per theme, in this order.
REGRESS = \
	counter

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
