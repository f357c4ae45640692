/* Knex, for streams.js: a query builder, relations are looked up by hand. */
'use strict';

const Knex = require('knex');
let knex;

const make = (db) => ({
  books: (n) => db('book').orderBy('id').limit(n),
  related: (book, n) => db(`related_${n}`).where({ id: book[`related_${n}_id`] }).first(),
  tags: (book) => db('tag').where({ book_id: book.id }),
  author: (book) => db('author').where('id', book.author_id).first(),
  notes: () => db('note').orderBy('id'),
  target: (note) => db(`related_${note.target_type.slice(-1)}`).where('id', note.target_id).first(),
  get: (id) => db('author').where({ id }).first('name'),
  find: (n, id) => db(`related_${n}`).where({ id }).first('id'),
  insert: (id) => db('job').insert({ id, done: 0 }),
  create: (n, id) => db(`related_${n}`).insert({ id, name: 'x' }).returning('id'),
  update: (id) => db('book').where({ id }).update({ title: 'x' }),
  touch: (n, id) => db(`related_${n}`).where({ id }).update({ name: 'y' }),
  joined: (n) => db('book').join('author', 'author.id', 'book.author_id').leftJoin('tag', 'tag.book_id', 'book.id')
    .where('book.id', '<=', n).select('book.*', 'author.name', 'tag.name as tag'),
  prefetched: async (n) => {
    const books = await db('book').orderBy('id').limit(n);
    await db('author').whereIn('id', [...new Set(books.map((book) => book.author_id))]);
    await db('tag').whereIn('book_id', books.map((book) => book.id));
  },
  bulkInsert: (from, n) => db.batchInsert('job', Array.from({ length: n }, (_, i) => ({ id: from + i, done: 0 })), 20),
  bulkUpdate: () => db('book').where('author_id', 1).update({ title: 'z' }),
  page: async (last, n) => (await db('book').where('id', '>', last).orderBy('id').limit(n)).pop().id,
  purge: (n) => db('job').whereIn('id', db('job').select('id').where('id', '>=', 2000).orderBy('id').limit(n)).del(),
  job: () => db.transaction(async (trx) => {
    const job = await trx('job').where({ done: 0 }).orderBy('id').limit(1).forUpdate().skipLocked().first();
    await trx('job').where({ id: job.id }).update({ done: 1 });
  }),
  rolledBack: async (work) => {
    const trx = await db.transaction();
    await work(make(trx));
    await trx.rollback();
  },
  iterate: async () => {
    for await (const book of db('book').orderBy('id').stream({ batchSize: 10 })) book.title;
  },
});

module.exports = {
  open: (connection) => {
    knex = Knex({ client: 'pg', connection, pool: { min: 1, max: 1 } });
    Object.assign(module.exports, make(knex));
  },
  raw: (sql) => knex.raw(sql),
  close: () => knex.destroy(),
};
