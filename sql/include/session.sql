SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET missing_symbol.test_clock = '2026-01-01 12:00:00+00';
\set SHOW_CONTEXT never
\pset null '(null)'
