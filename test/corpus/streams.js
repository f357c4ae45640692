/*
 * Streams of an ORM for Node.js, to be recorded by record.py.
 *
 *     node streams.js knex|drizzle|sequelize|typeorm|mikro
 *
 * orm_NAME.js says how each thing is done there; this, what is done.  A
 * stream's name begins with what must be found there: so many candidates that
 * are strong, or burst; "silent": none.
 */
'use strict';

const name = process.argv[2];
const orm = require(`./orm_${name}.js`);

const BOOKS = 20;
const upto = (n) => Array.from({ length: n }, (_, i) => i);

/* the same numbers each time */
let seed = 1;
const below = (n) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return Math.floor(seed / 65536) % n;
};

const lazy = (relations) => async (s) => {
  for (const book of await s.books(BOOKS))
    for (const n of upto(relations)) await s.related(book, n);
};

const streams = [
  ...[1, 2, 5, 12].map((n) => [`strong ${n}`, `lazy, relations: ${n}`, lazy(n)]),
  ['strong 1', 'lazy, a collection', async (s) => {
    for (const book of await s.books(BOOKS)) await s.tags(book);
  }],
  ['strong 1', 'lazy, 20 books of 7 authors', async (s) => {
    for (const book of await s.books(BOOKS)) await s.author(book);
  }],
  ['strong 1', 'lazy, all at once', async (s) => {
    await Promise.all((await s.books(BOOKS)).map((book) => s.related(book, 0)));
  }],
  ['strong 1', 'polymorphic', async (s) => {
    for (const note of await s.notes()) await s.target(note);
  }],
  ['burst 1', 'get in a loop', async (s) => {
    for (const n of upto(8)) await s.get(n + 1);
  }],
  ['burst 2', 'insert and update in a loop', async (s) => {
    for (const n of upto(8)) {
      await s.insert(1000 + n);
      await s.update(n + 1);
    }
  }],
  ['silent', 'joined', (s) => s.joined(BOOKS)],
  ['silent', 'prefetched', (s) => s.prefetched(BOOKS)],
  ['silent', 'bulk insert', (s) => s.bulkInsert(2000, 120)],
  ['silent', 'bulk update', (s) => s.bulkUpdate()],
  ['silent', 'keyset pages', async (s) => {
    for (let last = 0, page = 0; page < 6; page++) last = await s.page(last, 15);
  }],
  ['silent', 'purge in batches', async (s) => {
    for (const _ of upto(6)) await s.purge(20);
  }],
  ['silent', 'job queue', async (s) => {
    for (const _ of upto(8)) await s.job();
  }],
  ['silent', 'worker, six statements a job', async (s) => {
    for (const n of upto(12)) {
      await s.get(n % 8 + 1);
      for (const k of upto(5)) await s.touch(k, n + 1);
    }
  }],
  ['silent', 'requests without marks', async (s) => {
    for (const _ of upto(60)) {
      const id = below(20) + 1;
      await s.find(0, id);
      await s.find(1, id);
      await s.find(2, id);
      await s.find(3, id);
      switch (below(3)) {
        case 0:
          await s.get(below(8) + 1);
          await s.find(4, id);
          break;
        case 1:
          await s.books(5);
          await s.find(5, id);
          break;
        default:
          await s.touch(6, id);
          await s.find(7, id);
      }
    }
  }],
  ['silent', 'tests without marks, with fixtures', async (s) => {
    for (const n of upto(30))
      await s.rolledBack(async (t) => {
        for (const k of upto(8)) await t.create(k, 10000 + n);
        await t.find(0, 10000 + n);
        await t.touch(1, 10000 + n);
        await t.books(5);
      });
  }],
  ['silent', 'iterator', (s) => s.iterate()],
];

(async () => {
  await orm.open({
    host: process.env.PGHOST,
    port: Number(process.env.PGPORT),
    user: process.env.PGUSER,
    database: process.env.PGDATABASE || 'postgres',
  });
  for (const [expected, title, stream] of streams) {
    await orm.raw(`SELECT 'stream ${expected}: ${title}'`);
    await stream(orm.session ? await orm.session() : orm);
  }
  await orm.close();
})().catch((e) => {
  console.error(e);
  process.exit(1);
});
