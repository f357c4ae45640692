/* Runs statements.tsv through a client for Node.js: client.js MODE.  See client.py. */
'use strict';

const fs = require('fs');
const path = require('path');

const mode = process.argv[2];
const { PGHOST: host, PGUSER: user, PGDATABASE: database } = process.env;
const port = Number(process.env.PGPORT);
const version = (name) => {
  for (let dir = path.dirname(require.resolve(name)); ; dir = path.dirname(dir)) {
    const file = path.join(dir, 'package.json');
    if (fs.existsSync(file) && JSON.parse(fs.readFileSync(file)).name === name)
      return `${name} ${JSON.parse(fs.readFileSync(file)).version}`;
  }
};

const convert = {
  text: (v) => v,
  json: (v) => v,
  uuid: (v) => v,
  date: (v) => v,
  numeric: (v) => v,
  int: Number,
  bigint: BigInt,
  texts: (v) => v.split('|'),
};
const parameter = (text) => {
  const [, kind, value] = text.match(/^(\w+):(.*)$/);
  return value === '\\N' ? null : convert[kind](value);
};

/* from $1 to another style, and the parameters in the order of their places */
const placed = (sql, values, mark) => {
  const order = [];
  return [sql.replace(/\$(\d+)/g, (_, n) => {
    order.push(values[n - 1]);
    return mark(order.length);
  }), order];
};
const used = (sql, values) => values.slice(0, Math.max(0, ...[...sql.matchAll(/\$(\d+)/g)].map((m) => Number(m[1]))));
const first = (rows) => (rows && rows.length > 0 ? Object.values(rows[0])[0] : null);

const withPg = async (options) => {
  const { Client } = require('pg');
  const client = new Client({ host, port, user, database });
  await client.connect();
  let n = 0;
  return {
    version: version('pg'),
    run: async (sql, values) => first((await client.query(
      { text: sql, values: used(sql, values), ...(options.named ? { name: `s${n++}` } : {}) })).rows),
    close: () => client.end(),
  };
};

const withPostgres = async (options) => {
  const postgres = require('postgres');
  convert.json = JSON.parse;       /* it makes JSON of values itself */
  const sql = postgres({ host, port, username: user, database, max: 1, onnotice: () => {}, ...options });
  return {
    version: version('postgres'),
    run: async (text, values) => first(await sql.unsafe(text, used(text, values), { prepare: options.prepare })),
    close: () => sql.end(),
  };
};

const modes = {
  pg: () => withPg({}),
  'pg-named': () => withPg({ named: true }),
  postgres: () => withPostgres({ prepare: true }),
  'postgres-unprepared': () => withPostgres({ prepare: false }),
  knex: async () => {
    const knex = require('knex')({ client: 'pg', connection: { host, port, user, database }, pool: { min: 1, max: 1 } });
    return {
      version: version('knex'),
      run: async (sql, values) => first((await knex.raw(...placed(sql.replace(/\?/g, '\\?'), values, () => '?'))).rows),
      close: () => knex.destroy(),
    };
  },
  drizzle: async () => {
    const { sql } = require('drizzle-orm');
    const { Pool } = require('pg');
    const pool = new Pool({ host, port, user, database, max: 1 });
    const db = require('drizzle-orm/node-postgres').drizzle(pool);
    return {
      version: version('drizzle-orm'),
      run: async (text, values) => {
        const parts = text.split(/\$\d+/);
        const [, order] = placed(text, values, () => '');
        return first((await db.execute(sql.join(parts.flatMap(
          (part, n) => (n === 0 ? [sql.raw(part)] : [sql`${sql.param(order[n - 1])}`, sql.raw(part)]))))).rows);
      },
      close: () => pool.end(),
    };
  },
  sequelize: async () => {
    const { QueryTypes, Sequelize } = require('sequelize');
    const sequelize = new Sequelize(database, user, '', { host, port, dialect: 'postgres', logging: false, pool: { min: 1, max: 1 } });
    return {
      version: version('sequelize'),
      run: async (sql, values) => first(await sequelize.query(sql, { type: QueryTypes.SELECT, bind: used(sql, values) })),
      close: () => sequelize.close(),
    };
  },
  'sequelize-replacements': async () => {
    const { QueryTypes, Sequelize } = require('sequelize');
    const sequelize = new Sequelize(database, user, '', { host, port, dialect: 'postgres', logging: false, pool: { min: 1, max: 1 } });
    return {
      version: version('sequelize'),
      run: async (sql, values) => {
        const [text, replacements] = placed(sql, values, () => '?');
        return first(await sequelize.query(text, { type: QueryTypes.SELECT, replacements }));
      },
      close: () => sequelize.close(),
    };
  },
  typeorm: async () => {
    require('reflect-metadata');
    const { DataSource } = require('typeorm');
    const source = await new DataSource({ type: 'postgres', host, port, username: user, database, poolSize: 1 }).initialize();
    return {
      version: version('typeorm'),
      run: async (sql, values) => first(await source.query(sql, used(sql, values))),
      close: () => source.destroy(),
    };
  },
  mikro: async () => {
    const { MikroORM } = require('@mikro-orm/postgresql');
    const orm = await MikroORM.init({ host, port, user, dbName: database, pool: { min: 1, max: 1 }, entities: [],
      discovery: { warnWhenNoEntities: false } });
    return {
      version: version('@mikro-orm/postgresql'),
      run: async (sql, values) => first(await orm.em.getConnection().execute(...placed(sql, values, () => '?'))),
      close: () => orm.close(),
    };
  },
  kysely: async () => {
    const { CompiledQuery, Kysely, PostgresDialect } = require('kysely');
    const { Pool } = require('pg');
    const db = new Kysely({ dialect: new PostgresDialect({ pool: new Pool({ host, port, user, database, max: 1 }) }) });
    return {
      version: version('kysely'),
      run: async (sql, values) => first((await db.executeQuery(CompiledQuery.raw(sql, used(sql, values)))).rows),
      close: () => db.destroy(),
    };
  },
  prisma: async () => {
    const { PrismaPg } = require('@prisma/adapter-pg');
    const { PrismaClient } = require(process.env.PRISMA_CLIENT);
    const prisma = new PrismaClient({ adapter: new PrismaPg({ host, port, user, database, max: 1 }) });
    return {
      version: version('@prisma/adapter-pg'),
      run: async (sql, values) => (sql.startsWith('SELECT') ? first(await prisma.$queryRawUnsafe(sql, ...used(sql, values))) :
        await prisma.$executeRawUnsafe(sql) && null),
      close: () => prisma.$disconnect(),
    };
  },
};

const sqlstate = (e) => {
  for (; e; e = e.cause || e.parent || e.original || e.driverError || e.meta?.driverAdapterError) {
    const code = e.originalCode || e.code || '';
    if (/^[0-9A-Z]{5}$/.test(code) && !code.startsWith('P2')) return code;
  }
  return 'refused';
};
const line = (...fields) => console.log(fields.join('\t'));

(async () => {
  const client = await modes[mode]();
  const all = async (sql, values) => {
    let value = null;
    for (const statement of sql.split('; ')) value = await client.run(statement, values);
    return value === null || value === undefined ? '' : String(value);
  };

  line('version', client.version);
  for (const text of fs.readFileSync(path.join(__dirname, 'statements.tsv'), 'utf8').trim().split('\n')) {
    if (text.startsWith('#')) continue;
    const [name, expected, sql, cast, ...parameters] = text.split('\t');
    const values = parameters.map(parameter);
    let state;
    let message;
    try {
      line(name, 'ok', await all(sql, values));
      continue;
    } catch (e) {
      state = sqlstate(e);
      message = String(e.message).split('\n')[0];
    }
    if (cast && !expected.startsWith(`error ${state}`)) {
      try {
        line(name, 'cast', await all(cast, values), state, message);
        continue;
      } catch (e) {
        message += ` / ${String(e.message).split('\n')[0]}`;
      }
    }
    line(name, 'error', state, message);
  }
  await client.close();
})().catch((e) => {
  console.error(e);
  process.exit(1);
});
