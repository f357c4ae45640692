/* TypeORM, for streams.js: relations are lazy, promises. */
'use strict';

require('reflect-metadata');
const { DataSource, EntitySchema, In, MoreThan } = require('typeorm');

const id = { type: Number, primary: true };
const named = (name) => new EntitySchema({ name, tableName: name, columns: { id, name: { type: 'text', nullable: true } } });
const twelve = Array.from({ length: 12 }, (_, n) => n);
const related = twelve.map((n) => named(`related_${n}`));
const author = named('author');
const book = new EntitySchema({
  name: 'book',
  columns: { id, title: { type: 'text' } },
  relations: {
    author: { type: 'many-to-one', target: 'author', lazy: true, joinColumn: { name: 'author_id' } },
    tags: { type: 'one-to-many', target: 'tag', inverseSide: 'book', lazy: true },
    ...Object.fromEntries(twelve.map((n) => [`related_${n}`,
      { type: 'many-to-one', target: `related_${n}`, lazy: true, joinColumn: { name: `related_${n}_id` } }])),
  },
});
const tag = new EntitySchema({
  name: 'tag',
  columns: { id, name: { type: 'text' } },
  relations: { book: { type: 'many-to-one', target: 'book', lazy: true, joinColumn: { name: 'book_id' } } },
});
const job = new EntitySchema({ name: 'job', columns: { id, done: { type: Number } } });
const note = new EntitySchema({ name: 'note', columns: { id, target_type: { type: 'text' }, target_id: { type: Number } } });

let source;

const make = (m) => ({
  books: (take) => m.find(book, { order: { id: 'ASC' }, take }),
  related: (b, n) => b[`related_${n}`],
  tags: (b) => b.tags,
  author: (b) => b.author,
  notes: () => m.find(note, { order: { id: 'ASC' } }),
  target: (n) => m.findOneBy(`related_${n.target_type.slice(-1)}`, { id: n.target_id }),
  get: (n) => m.findOneBy(author, { id: n }),
  find: (n, i) => m.findOneBy(related[n], { id: i }),
  insert: (n) => m.insert(job, { id: n, done: 0 }),
  create: (n, i) => m.insert(related[n], { id: i, name: 'x' }),
  update: (n) => m.update(book, { id: n }, { title: 'x' }),
  touch: (n, i) => m.update(related[n], { id: i }, { name: 'y' }),
  joined: (take) => m.find(book, { relations: { author: true, tags: true }, order: { id: 'ASC' }, take }),
  prefetched: (take) => m.find(book, {
    relations: { author: true, tags: true }, relationLoadStrategy: 'query', order: { id: 'ASC' }, take,
  }),
  bulkInsert: (from, n) => m.insert(job, Array.from({ length: n }, (_, i) => ({ id: from + i, done: 0 }))),
  bulkUpdate: () => m.createQueryBuilder().update(book).set({ title: 'z' }).where('author_id = :a', { a: 1 }).execute(),
  page: async (last, take) =>
    (await m.find(book, { where: { id: MoreThan(last) }, order: { id: 'ASC' }, take })).pop().id,
  purge: async (take) => {
    const jobs = await m.find(job, { select: { id: true }, where: { id: MoreThan(1999) }, order: { id: 'ASC' }, take });
    await m.delete(job, { id: In(jobs.map((j) => j.id)) });
  },
  job: () => m.transaction(async (t) => {
    const j = await t.findOne(job, {
      where: { done: 0 }, order: { id: 'ASC' }, lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' },
    });
    j.done = 1;
    await t.save(job, j);
  }),
  rolledBack: async (work) => {
    const runner = source.createQueryRunner();
    await runner.startTransaction();
    await work(make(runner.manager));
    await runner.rollbackTransaction();
    await runner.release();
  },
  iterate: async () => {
    const runner = source.createQueryRunner();
    await new Promise(async (resolve, reject) => {
      const stream = await m.createQueryBuilder(book, 'b', runner).orderBy('b.id').stream();
      stream.on('data', () => {}).on('end', resolve).on('error', reject);
    });
    await runner.release();
  },
});

module.exports = {
  open: async ({ host, port, user, database }) => {
    source = new DataSource({
      type: 'postgres', host, port, username: user, database, poolSize: 1,
      entities: [author, book, tag, job, note, ...related],
    });
    await source.initialize();
    Object.assign(module.exports, make(source.manager));
  },
  raw: (sql) => source.query(sql),
  close: () => source.destroy(),
};
