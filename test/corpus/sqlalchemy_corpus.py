"""Streams of SQLAlchemy's ORM, to be recorded by record.py.

Each function is one; its name begins with what must be found there: so many
candidates that are strong, or burst; "silent": none.
"""
import os

from sqlalchemy import Column, ForeignKey, Integer, Text, create_engine, text
from sqlalchemy.orm import (Session, declarative_base, joinedload, relationship,
                            selectinload, subqueryload)

DRIVER = os.environ.get('DRIVER', 'psycopg2')
engine = create_engine('postgresql+%s://%s@/%s?host=%s&port=%s' % (
    DRIVER, os.environ['PGUSER'].replace(' ', '%20'), os.environ.get('PGDATABASE', 'postgres'),
    os.environ['PGHOST'], os.environ['PGPORT']), future=True)
Base = declarative_base()


class Author(Base):
    __tablename__ = 'sa_author'
    id = Column(Integer, primary_key=True)
    name = Column(Text)


class Tag(Base):
    __tablename__ = 'sa_tag'
    id = Column(Integer, primary_key=True)
    book_id = Column(ForeignKey('sa_book.id'))
    name = Column(Text)


def related(n):
    """a table that books refer to"""
    return type('Related%d' % n, (Base,), {
        '__tablename__': 'sa_related_%d' % n,
        'id': Column(Integer, primary_key=True),
        'name': Column(Text)})


RELATED = [related(n) for n in range(12)]


class Book(Base):
    __tablename__ = 'sa_book'
    id = Column(Integer, primary_key=True)
    title = Column(Text)
    author_id = Column(ForeignKey('sa_author.id'))
    author = relationship(Author)
    tags = relationship(Tag)


for n, cls in enumerate(RELATED):
    setattr(Book, 'related_%d_id' % n, Column(ForeignKey('sa_related_%d.id' % n)))
    setattr(Book, 'related_%d' % n, relationship(cls))


class Job(Base):
    __tablename__ = 'sa_job'
    id = Column(Integer, primary_key=True)
    done = Column(Integer)


def books(session, *options):
    return session.query(Book).options(*options).order_by(Book.id).limit(20).all()


def lazy(relations):
    def stream(session):
        for book in books(session):
            for relation in range(relations):
                getattr(book, 'related_%d' % relation).name
    return stream


def lazy_many(session):
    for book in books(session):
        [tag.name for tag in book.tags]


def identity_map(session):
    """20 books of 7 authors: each author is asked for once"""
    for book in books(session):
        book.author.name


def get(session):
    for n in range(1, 9):
        session.get(Author, n)


def flush_each(session):
    for n in range(8):
        session.add(Job(id=1000 + n, done=0))
        session.flush()
        session.execute(text('UPDATE sa_book SET title = :t WHERE id = :i'), {'t': 'x', 'i': n})


def joined(session):
    for book in books(session, joinedload(Book.author), joinedload(Book.tags)):
        book.author.name, [tag.name for tag in book.tags]


def selectin(session):
    for book in books(session, selectinload(Book.author), selectinload(Book.tags)):
        book.author.name, [tag.name for tag in book.tags]


def subquery(session):
    for book in books(session, subqueryload(Book.tags)):
        [tag.name for tag in book.tags]


def bulk_insert(session):
    session.bulk_insert_mappings(Job, [{'id': 2000 + n, 'done': 0} for n in range(200)])


def bulk_update(session):
    session.query(Book).filter(Book.author_id == 1).update({'title': 'y'}, synchronize_session=False)


def keyset_pages(session):
    last = 0
    for _ in range(6):
        page = session.query(Book.id).filter(Book.id > last).order_by(Book.id).limit(15).all()
        last = page[-1][0]


def purge(session):
    for _ in range(6):
        session.execute(text('DELETE FROM sa_job WHERE id IN (SELECT id FROM sa_job WHERE id >= 2000 ORDER BY id LIMIT 20)'))


def queue(session):
    for _ in range(8):
        job = session.query(Job).filter(Job.done == 0).order_by(Job.id).limit(1).with_for_update(skip_locked=True).one()
        job.done = 1
        session.commit()


def iterator(session):
    for book in session.query(Book).yield_per(10):
        book.title


STREAMS = [
    ('strong 1', 'lazy, 1 relation', lazy(1)),
    ('strong 2', 'lazy, 2 relations', lazy(2)),
    ('strong 5', 'lazy, 5 relations', lazy(5)),
    ('strong 12', 'lazy, 12 relations', lazy(12)),
    ('strong 1', 'lazy, a collection', lazy_many),
    ('strong 1', 'lazy, with the identity map', identity_map),
    ('burst 1', 'get in a loop', get),
    ('burst 2', 'insert and update in a loop', flush_each),
    ('silent', 'joinedload', joined),
    ('silent', 'selectinload', selectin),
    ('silent', 'subqueryload', subquery),
    ('silent', 'bulk insert', bulk_insert),
    ('silent', 'bulk update', bulk_update),
    ('silent', 'keyset pages', keyset_pages),
    ('silent', 'purge in batches', purge),
    ('silent', 'job queue', queue),
    ('silent', 'iterator', iterator),
]

Base.metadata.create_all(engine)
with Session(engine) as session:
    session.execute(text('INSERT INTO sa_author SELECT i, i::text FROM generate_series(1, 8) i'))
    for n in range(12):
        session.execute(text('INSERT INTO sa_related_%d SELECT i, i::text FROM generate_series(1, 100) i' % n))
    session.execute(text('INSERT INTO sa_book SELECT i, i::text, i % 7 + 1, {} FROM generate_series(1, 100) i'.format(
        ', '.join(['i'] * 12))))
    session.execute(text('INSERT INTO sa_tag SELECT i, i / 3 + 1, i::text FROM generate_series(1, 297) i'))
    session.execute(text('INSERT INTO sa_job SELECT i, 0 FROM generate_series(1, 20) i'))
    session.commit()

for expected, name, stream in STREAMS:
    with engine.connect() as connection:
        connection.connection.cursor().execute("SELECT 'stream %s: %s'" % (expected, name))
        connection.rollback()
    with Session(engine) as session:
        stream(session)
        session.commit()
