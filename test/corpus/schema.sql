-- Tables of the streams in *_streams.*, and their rows: 20 books are read, each
-- of which refers to an author (of 7) and to a row of each of twelve tables.
CREATE TABLE author (id serial PRIMARY KEY, name text);
DO $$BEGIN
	FOR n IN 0 .. 11 LOOP
		EXECUTE format('CREATE TABLE related_%s (id serial PRIMARY KEY, name text)', n);
		EXECUTE format('INSERT INTO related_%s SELECT i, i::text FROM generate_series(1, 100) i', n);
	END LOOP;
END$$;
CREATE TABLE book (
	id serial PRIMARY KEY, title text, author_id int REFERENCES author,
	related_0_id int, related_1_id int, related_2_id int, related_3_id int, related_4_id int, related_5_id int,
	related_6_id int, related_7_id int, related_8_id int, related_9_id int, related_10_id int, related_11_id int);
CREATE TABLE tag (id serial PRIMARY KEY, book_id int REFERENCES book, name text);
CREATE TABLE job (id serial PRIMARY KEY, done int NOT NULL);
-- each about a row of one of five tables
CREATE TABLE note (id serial PRIMARY KEY, target_type text, target_id int);
INSERT INTO author SELECT i, i::text FROM generate_series(1, 8) i;
INSERT INTO book SELECT i, i::text, i % 7 + 1, i, i, i, i, i, i, i, i, i, i, i, i FROM generate_series(1, 100) i;
INSERT INTO tag SELECT i, i / 3 + 1, i::text FROM generate_series(1, 297) i;
INSERT INTO job SELECT i, 0 FROM generate_series(1, 60) i;
INSERT INTO note SELECT i, 'Related' || i % 5, i FROM generate_series(1, 20) i;
