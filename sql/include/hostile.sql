\set ECHO errors
-- Statements whose planning runs their author's code.
\o /dev/null
SELECT count(*) FROM mallory.t WHERE name = mallory.f();
SELECT count(*) FROM mallory.t WHERE name = mallory.definer();
SELECT count(*) FROM mallory.t WHERE name = mallory.inlined() AND id = 1;
SELECT count(*) FROM mallory.t WHERE name OPERATOR(mallory.===) 'n7' AND id = 2;
SELECT count(*) FROM mallory.t WHERE numbers = '{1,2}' AND id = 3;
SELECT count(*) FROM mallory.t WHERE id = CAST('4' AS mallory.number);
SELECT count(*) FROM mallory.v WHERE id = 5;
SELECT count(*) FROM mallory.guarded WHERE id = 6;
\o
\set ECHO all
