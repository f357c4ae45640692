"""Runs statements.tsv through a client for Python: client.py MODE.

Like the other client programs: prints the client's version, and then for each
statement its name and what came: "ok" and the value, "cast" and the value,
where only the statement with casts worked, or the SQLSTATE ("refused", if it
was not sent) and the message.
"""
import asyncio
import datetime
import decimal
import os
import re
import sys
import uuid

MODE = sys.argv[1]
CONVERT = {
    'text': str, 'json': str, 'int': int, 'bigint': int, 'uuid': uuid.UUID,
    'date': datetime.date.fromisoformat, 'numeric': decimal.Decimal,
    'texts': lambda text: text.split('|'),
}
HERE = os.path.dirname(os.path.abspath(__file__))


def parameter(text):
    kind, value = text.split(':', 1)
    return None if value == '\\N' else CONVERT[kind](value)


def placeholders(sql, to, escape=True):
    """from $1 to another style; and which parameters these are"""
    order = [int(n) - 1 for n in re.findall(r'\$(\d+)', sql)]
    if escape:
        sql = sql.replace('%', '%%')
    return re.sub(r'\$(\d+)', to, sql), order


def dbapi(cursor, mark='%s'):
    def run(sql, values):
        sql, order = placeholders(sql, mark)
        cursor.execute(sql, [values[n] for n in order] if order else None)
        return cursor.fetchone()[0] if cursor.description else None
    return run


def psycopg2_client():
    import psycopg2
    import psycopg2.extras
    psycopg2.extras.register_uuid()
    connection = psycopg2.connect('')
    connection.autocommit = True
    return 'psycopg2 ' + psycopg2.__version__.split()[0], dbapi(connection.cursor())


def psycopg_client(factory=None, mark='%s', **options):
    import psycopg
    connection = psycopg.connect('', autocommit=True, **options)
    if factory:
        connection.cursor_factory = getattr(psycopg, factory)
    return 'psycopg ' + psycopg.__version__, dbapi(connection.cursor(), mark)


def asyncpg_client(**options):
    import asyncpg
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(
        host=os.environ['PGHOST'], port=int(os.environ['PGPORT']), **options))

    def run(sql, values):
        order = sorted(set(placeholders(sql, r'$\1')[1]))
        if not order and not sql.startswith('SELECT'):
            return loop.run_until_complete(connection.execute(sql)) and None
        return loop.run_until_complete(connection.fetchval(sql, *[values[n] for n in order]))
    return 'asyncpg ' + asyncpg.__version__, run


def sqlalchemy_client(driver):
    import sqlalchemy
    url = 'postgresql+%s://%s@/%s?host=%s&port=%s' % (
        driver, os.environ['PGUSER'].replace(' ', '%20'), os.environ['PGDATABASE'], os.environ['PGHOST'], os.environ['PGPORT'])
    version = 'SQLAlchemy %s with %s' % (sqlalchemy.__version__, driver)
    text = sqlalchemy.text

    def prepared(sql, values):
        # a colon of ::json is none of a parameter
        sql, order = placeholders(sql.replace('::', r'\:\:'), r':p\1', False)
        return text(sql), {'p%d' % (n + 1): values[n] for n in order}
    if driver == 'asyncpg':
        from sqlalchemy.ext.asyncio import create_async_engine
        loop = asyncio.new_event_loop()
        engine = create_async_engine(url, isolation_level='AUTOCOMMIT')
        connection = loop.run_until_complete(engine.connect())

        def run(sql, values):
            result = loop.run_until_complete(connection.execute(*prepared(sql, values)))
            return result.scalar() if result.returns_rows else None
        return version, run
    connection = sqlalchemy.create_engine(url, isolation_level='AUTOCOMMIT', future=True).connect()

    def run_sync(sql, values):
        result = connection.execute(*prepared(sql, values))
        return result.scalar() if result.returns_rows else None
    return version, run_sync


def django_client():
    import django
    from django.conf import settings
    settings.configure(DATABASES={'default': {
        'ENGINE': 'django.db.backends.postgresql', 'NAME': os.environ['PGDATABASE']}})
    django.setup()
    from django.db import connection
    driver = connection.Database
    version = 'Django %s with %s %s' % (django.get_version(), driver.__name__, driver.__version__.split()[0])
    return version, dbapi(connection.cursor())


MODES = {
    'psycopg2': psycopg2_client,
    'psycopg': psycopg_client,
    'psycopg-binary': lambda: psycopg_client(mark='%b'),
    'psycopg-prepared': lambda: psycopg_client(prepare_threshold=0),
    'psycopg-client': lambda: psycopg_client(factory='ClientCursor'),
    'asyncpg': asyncpg_client,
    'asyncpg-no-cache': lambda: asyncpg_client(statement_cache_size=0),
    'sqlalchemy': lambda: sqlalchemy_client('psycopg2'),
    'sqlalchemy-asyncpg': lambda: sqlalchemy_client('asyncpg'),
    'django': django_client,
}


def sqlstate(e):
    if 'invalid input for query argument' in str(e):
        return 'refused'        # by asyncpg
    while e is not None:
        code = getattr(e, 'sqlstate', None) or getattr(e, 'pgcode', None)
        if code:
            return code
        e = getattr(e, 'orig', None) or e.__cause__
    return 'refused'


def all_of(run, sql, values):
    value = None
    for statement in sql.split('; '):
        value = run(statement, values)
    return 'true' if value is True else 'false' if value is False else '' if value is None else str(value)


def main():
    version, run = MODES[MODE]()
    print('version', version, sep='\t')
    for line in open(os.path.join(HERE, 'statements.tsv')):
        if line.startswith('#'):
            continue
        name, expected, sql, cast, *parameters = line.rstrip('\n').split('\t')
        values = [parameter(p) for p in parameters]
        try:
            print(name, 'ok', all_of(run, sql, values), sep='\t')
            continue
        except Exception as e:
            state, message = sqlstate(e), str(e).split('\n')[0]
        if cast and not expected.startswith('error ' + state):
            try:
                print(name, 'cast', all_of(run, cast, values), state, message, sep='\t')
                continue
            except Exception as e:
                message += ' / ' + str(e).split('\n')[0]
        print(name, 'error', state, message, sep='\t')


main()
