/* Drizzle, for streams.js: lazy is by hand, relational queries are one statement. */
'use strict';

const { and, asc, eq, gt, gte, inArray, lte, relations, sql } = require('drizzle-orm');
const { drizzle } = require('drizzle-orm/node-postgres');
const { integer, pgTable, serial, text } = require('drizzle-orm/pg-core');
const { Pool } = require('pg');

const twelve = Array.from({ length: 12 }, (_, n) => n);
const author = pgTable('author', { id: serial().primaryKey(), name: text() });
const related = twelve.map((n) => pgTable(`related_${n}`, { id: serial().primaryKey(), name: text() }));
const book = pgTable('book', {
  id: serial().primaryKey(),
  title: text(),
  author_id: integer(),
  ...Object.fromEntries(twelve.map((n) => [`related_${n}_id`, integer()])),
});
const tag = pgTable('tag', { id: serial().primaryKey(), book_id: integer(), name: text() });
const job = pgTable('job', { id: serial().primaryKey(), done: integer() });
const note = pgTable('note', { id: serial().primaryKey(), target_type: text(), target_id: integer() });
const bookRelations = relations(book, ({ one, many }) => ({
  author: one(author, { fields: [book.author_id], references: [author.id] }),
  tags: many(tag),
}));
const tagRelations = relations(tag, ({ one }) => ({
  book: one(book, { fields: [tag.book_id], references: [book.id] }),
}));

let pool;
let db;

const make = (d) => ({
  books: (n) => d.select().from(book).orderBy(asc(book.id)).limit(n),
  related: (b, n) => d.select().from(related[n]).where(eq(related[n].id, b[`related_${n}_id`])),
  tags: (b) => d.query.tag.findMany({ where: eq(tag.book_id, b.id) }),
  author: (b) => d.query.author.findFirst({ where: eq(author.id, b.author_id) }),
  notes: () => d.select().from(note).orderBy(asc(note.id)),
  target: (n) => {
    const table = related[Number(n.target_type.slice(-1))];
    return d.select().from(table).where(eq(table.id, n.target_id));
  },
  get: (id) => d.query.author.findFirst({ columns: { name: true }, where: eq(author.id, id) }),
  find: (n, id) => d.select({ id: related[n].id }).from(related[n]).where(eq(related[n].id, id)),
  insert: (id) => d.insert(job).values({ id, done: 0 }),
  create: (n, id) => d.insert(related[n]).values({ id, name: 'x' }).returning({ id: related[n].id }),
  update: (id) => d.update(book).set({ title: 'x' }).where(eq(book.id, id)),
  touch: (n, id) => d.update(related[n]).set({ name: 'y' }).where(eq(related[n].id, id)),
  joined: (n) => d.select().from(book).innerJoin(author, eq(author.id, book.author_id))
    .leftJoin(tag, eq(tag.book_id, book.id)).where(lte(book.id, n)),
  prefetched: (n) => d.query.book.findMany({ with: { author: true, tags: true }, orderBy: asc(book.id), limit: n }),
  bulkInsert: (from, n) => d.insert(job).values(Array.from({ length: n }, (_, i) => ({ id: from + i, done: 0 }))),
  bulkUpdate: () => d.update(book).set({ title: 'z' }).where(eq(book.author_id, 1)),
  page: async (last, n) =>
    (await d.select({ id: book.id }).from(book).where(gt(book.id, last)).orderBy(asc(book.id)).limit(n)).pop().id,
  purge: (n) => d.delete(job).where(inArray(job.id,
    d.select({ id: job.id }).from(job).where(gte(job.id, 2000)).orderBy(asc(job.id)).limit(n))),
  job: () => d.transaction(async (tx) => {
    const [j] = await tx.select().from(job).where(eq(job.done, 0)).orderBy(asc(job.id)).limit(1)
      .for('update', { skipLocked: true });
    await tx.update(job).set({ done: 1 }).where(and(eq(job.id, j.id), eq(job.done, 0)));
  }),
  rolledBack: (work) => d.transaction(async (tx) => {
    await work(make(tx));
    tx.rollback();
  }).catch((e) => {
    if (!/Rollback/.test(e.message)) throw e;
  }),
  iterate: async () => {
    await d.execute(sql`BEGIN`);
    await d.execute(sql`DECLARE books CURSOR FOR SELECT * FROM book ORDER BY id`);
    while ((await d.execute(sql`FETCH 10 FROM books`)).rows.length > 0);
    await d.execute(sql`COMMIT`);
  },
});

module.exports = {
  open: (connection) => {
    pool = new Pool({ ...connection, max: 1 });
    db = drizzle(pool, {
      schema: { author, book, tag, bookRelations, tagRelations },
    });
    Object.assign(module.exports, make(db));
  },
  raw: (text_) => pool.query(text_),
  close: () => pool.end(),
};
