/* MikroORM, for streams.js: an identity map, which a fork begins anew. */
'use strict';

const { EntitySchema, LoadStrategy, LockMode, MikroORM, wrap } = require('@mikro-orm/postgresql');

const id = { type: 'number', primary: true };
const named = (name) => new EntitySchema({ name, tableName: name, properties: { id, name: { type: 'text' } } });
const twelve = Array.from({ length: 12 }, (_, n) => n);
const related = twelve.map((n) => named(`related_${n}`));
const author = named('author');
const toOne = (entity, name) => ({ kind: 'm:1', entity, joinColumn: name });
const book = new EntitySchema({
  name: 'book',
  properties: {
    id,
    title: { type: 'text' },
    author: toOne('author', 'author_id'),
    tags: { kind: '1:m', entity: 'tag', mappedBy: 'book' },
    ...Object.fromEntries(twelve.map((n) => [`related_${n}`, toOne(`related_${n}`, `related_${n}_id`)])),
  },
});
const tag = new EntitySchema({ name: 'tag', properties: { id, name: { type: 'text' }, book: toOne('book', 'book_id') } });
const job = new EntitySchema({ name: 'job', properties: { id, done: { type: 'number' } } });
const note = new EntitySchema({
  name: 'note', properties: { id, target_type: { type: 'text' }, target_id: { type: 'number' } },
});

let orm;

const make = (em) => ({
  books: (limit) => em.find('book', {}, { orderBy: { id: 'asc' }, limit }),
  related: (b, n) => wrap(b[`related_${n}`]).init(),
  tags: (b) => b.tags.init(),
  author: (b) => wrap(b.author).isInitialized() || wrap(b.author).init(),
  notes: () => em.find('note', {}, { orderBy: { id: 'asc' } }),
  target: (n) => em.findOne(`related_${n.target_type.slice(-1)}`, n.target_id),
  get: (n) => em.findOne('author', { id: n }, { refresh: true }),
  find: (n, i) => em.findOne(`related_${n}`, i, { refresh: true }),
  insert: (n) => em.insert('job', { id: n, done: 0 }),
  create: (n, i) => em.insert(`related_${n}`, { id: i, name: 'x' }),
  update: (n) => em.nativeUpdate('book', { id: n }, { title: 'x' }),
  touch: (n, i) => em.nativeUpdate(`related_${n}`, { id: i }, { name: 'y' }),
  joined: (limit) => em.find('book', {},
    { populate: ['author', 'tags'], strategy: LoadStrategy.JOINED, orderBy: { id: 'asc' }, limit }),
  prefetched: (limit) => em.find('book', {},
    { populate: ['author', 'tags'], strategy: LoadStrategy.SELECT_IN, orderBy: { id: 'asc' }, limit }),
  bulkInsert: (from, n) => em.insertMany('job', Array.from({ length: n }, (_, i) => ({ id: from + i, done: 0 }))),
  bulkUpdate: () => em.nativeUpdate('book', { author: 1 }, { title: 'z' }),
  page: async (last, limit) =>
    (await em.find('book', { id: { $gt: last } }, { orderBy: { id: 'asc' }, limit })).pop().id,
  purge: async (limit) => {
    const jobs = await em.fork().find('job', { id: { $gte: 2000 } }, { orderBy: { id: 'asc' }, limit });
    await em.nativeDelete('job', { id: jobs.map((j) => j.id) });
  },
  job: () => em.fork().transactional(async (t) => {
    const j = await t.findOne('job', { done: 0 }, { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE });
    j.done = 1;
  }),
  rolledBack: async (work) => {
    const t = em.fork();
    await t.begin();
    await work(make(t));
    await t.rollback();
  },
  iterate: async () => {
    for (let offset = 0; (await em.fork().find('book', {}, { orderBy: { id: 'asc' }, limit: 20, offset })).length > 0;
      offset += 20);
  },
});

module.exports = {
  open: async ({ host, port, user, database }) => {
    orm = await MikroORM.init({
      host, port, user, dbName: database, pool: { min: 1, max: 1 }, debug: false,
      entities: [author, book, tag, job, note, ...related], discovery: { warnWhenNoEntities: false },
    });
  },
  /* what a request has */
  session: () => make(orm.em.fork()),
  raw: (sql) => orm.em.getConnection().execute(sql),
  close: () => orm.close(),
};
