-- What the statements count in: each client gets a copy of this database.
CREATE EXTENSION missing_symbol;
CREATE TABLE by_text (name text PRIMARY KEY, count bigint NOT NULL);
CREATE TABLE by_int (id integer PRIMARY KEY, count bigint NOT NULL);
CREATE TABLE by_bigint (id bigint PRIMARY KEY, count bigint NOT NULL);
CREATE TABLE by_uuid (id uuid PRIMARY KEY, count bigint NOT NULL);
CREATE TABLE by_date (day date PRIMARY KEY, count bigint NOT NULL);
CREATE TABLE text_date (page text, day date, count bigint NOT NULL, PRIMARY KEY (page, day));
CREATE TABLE int_text (user_id int, url text, count bigint NOT NULL, PRIMARY KEY (user_id, url));
CREATE TABLE text_int (name text, user_id int, count bigint NOT NULL, PRIMARY KEY (name, user_id));
CREATE TABLE bigint_uuid (id bigint, device uuid, count bigint NOT NULL, PRIMARY KEY (id, device));
CREATE TABLE spend (user_id int PRIMARY KEY, count numeric(12,4) NOT NULL);
CREATE TABLE seen (name text PRIMARY KEY, hits missing_symbol.counter NOT NULL);
CREATE TABLE buckets (client text PRIMARY KEY, count bigint NOT NULL, full_at timestamptz) WITH (fillfactor = 70);
SELECT missing_symbol.configure('buckets', '{"bucket": "full_at"}');
INSERT INTO by_text VALUES ('big', 9007199254740992);
INSERT INTO seen VALUES ('here', missing_symbol.counter(3));
