# missing_symbol: upsert counters and query profiling for PostgreSQL

MODULE_big = missing_symbol
OBJS = \
	src/counter.o \
	src/histogram.o \
	src/missing_symbol.o \
	src/shape.o \
	src/shape_lex.o
PGFILEDESC = "missing_symbol - upsert counters and query profiling"

EXTENSION = missing_symbol
DATA = sql/missing_symbol--1.0.sql

# One .sql and .out per theme, in this order.
REGRESS = \
	counter

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
