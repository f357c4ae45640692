/*
 * A Drizzle column of type counter, and its count in queries.
 *
 *     const download = pgTable('download', { file: text().primaryKey(), c: counter() });
 *     db.select({ file: download.file, n: hits(download.c) }).from(download);
 *
 * The value is { count, first_seen, last_seen }, the times as PostgreSQL prints
 * them.  Only increment() writes it: leave it out of insert() and update().
 */
import { sql } from 'drizzle-orm';
import { customType } from 'drizzle-orm/pg-core';

export const counter = customType({
  dataType: () => 'missing_symbol.counter',
  fromDriver: (text) => {
    const [, count, first_seen, last_seen] = text.match(/^(-?\d+) \[([^,]*),([^\]]*)\]$/);
    return { count: Number(count), first_seen, last_seen };
  },
});

export const hits = (column) => sql`missing_symbol.hits(${column})`.mapWith(Number);
