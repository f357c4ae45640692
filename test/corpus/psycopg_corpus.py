"""Streams of psycopg 3, which speaks the extended protocol, to be recorded by record.py."""
import os

import psycopg

connection = psycopg.connect(dbname=os.environ.get('PGDATABASE', 'postgres'), autocommit=True)
connection.execute('CREATE TABLE pg_author (id int PRIMARY KEY, name text)')
connection.execute('CREATE TABLE pg_book (id int PRIMARY KEY, author int, title text)')
connection.execute("INSERT INTO pg_author SELECT i, 'a' || i FROM generate_series(1, 100) i")
connection.execute("INSERT INTO pg_book SELECT i, i, 'b' || i FROM generate_series(1, 100) i")

LOOKUP = 'SELECT name FROM pg_author WHERE id = %s'
BOOKS = 'SELECT id, author FROM pg_book WHERE id <= 20 ORDER BY id'


def loop():
    """prepared by the driver from the fifth execution on"""
    for number, author in connection.execute(BOOKS).fetchall():
        connection.execute(LOOKUP, [author]).fetchone()


def loop_in_transaction():
    with connection.transaction():
        loop()


def cursor():
    with connection.transaction():
        with connection.cursor('books') as books:
            books.itersize = 5
            books.execute(BOOKS)
            for number, author in books:
                connection.execute(LOOKUP, [author]).fetchone()


def pipeline():
    with connection.pipeline():
        for number in range(20):
            connection.execute(LOOKUP, [number])


def executemany():
    with connection.cursor() as books:
        books.executemany('UPDATE pg_book SET title = %s WHERE id = %s', [('x', n) for n in range(1, 30)])


def any_():
    for part in range(6):
        connection.execute('SELECT name FROM pg_author WHERE id = ANY(%s)', [list(range(part * 15, part * 15 + 15))]).fetchall()


def lookups():
    for number in range(8):
        connection.execute(LOOKUP, [number]).fetchone()


STREAMS = [
    ('strong 1', 'a loop over rows', loop),
    ('strong 1', 'a loop over rows, in a transaction', loop_in_transaction),
    ('strong 1', 'a loop over a cursor', cursor),
    ('pipelined 1', 'a pipeline of lookups', pipeline),
    ('silent', 'executemany', executemany),
    ('silent', 'lists of keys', any_),
    ('burst 1', 'lookups of ids that came from elsewhere', lookups),
]

for expected, name, stream in STREAMS:
    with psycopg.ClientCursor(connection) as plain:
        plain.execute("SELECT 'stream %s: %s'" % (expected, name))
    stream()
