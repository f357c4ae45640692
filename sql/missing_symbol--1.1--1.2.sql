/* missing_symbol--1.1--1.2.sql */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION missing_symbol UPDATE TO '1.2'" to load this file. \quit

-- What a delta says of itself (origin.c)
COMMENT ON COLUMN missing_symbol.spilled.fields IS 'the other columns that were given, as texts; under the empty name the key''s columns, and who counted';
COMMENT ON COLUMN missing_symbol.buffered.fields IS 'the other columns that were given, as texts; under the empty name the key''s columns, and who counted';
