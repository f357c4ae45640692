/* Sequelize, for streams.js. */
'use strict';

const { DataTypes, Op, Sequelize } = require('sequelize');
let sequelize;
const M = {};

const define = () => {
  const options = { freezeTableName: true, timestamps: false };
  const named = (table) => sequelize.define(table, { name: DataTypes.TEXT }, options);

  M.author = named('author');
  M.related = Array.from({ length: 12 }, (_, n) => named(`related_${n}`));
  M.book = sequelize.define('book', { title: DataTypes.TEXT }, options);
  M.tag = named('tag');
  M.job = sequelize.define('job', { done: DataTypes.INTEGER }, options);
  M.note = sequelize.define('note', { target_type: DataTypes.TEXT, target_id: DataTypes.INTEGER }, options);
  M.book.belongsTo(M.author, { foreignKey: 'author_id', as: 'author' });
  M.book.hasMany(M.tag, { foreignKey: 'book_id', as: 'tags' });
  M.related.forEach((related, n) => M.book.belongsTo(related, { foreignKey: `related_${n}_id`, as: `related${n}` }));
};

const make = (transaction) => ({
  books: (limit) => M.book.findAll({ order: ['id'], limit, transaction }),
  related: (book, n) => book[`getRelated${n}`]({ transaction }),
  tags: (book) => book.getTags({ transaction }),
  author: (book) => book.getAuthor({ transaction }),
  notes: () => M.note.findAll({ order: ['id'], transaction }),
  target: (note) => M.related[Number(note.target_type.slice(-1))].findByPk(note.target_id, { transaction }),
  get: (id) => M.author.findByPk(id, { transaction }),
  find: (n, id) => M.related[n].findOne({ where: { id }, transaction }),
  insert: (id) => M.job.create({ id, done: 0 }, { transaction }),
  create: (n, id) => M.related[n].create({ id, name: 'x' }, { transaction }),
  update: (id) => M.book.update({ title: 'x' }, { where: { id }, transaction }),
  touch: (n, id) => M.related[n].update({ name: 'y' }, { where: { id }, transaction }),
  joined: (limit) => M.book.findAll({ include: ['author', 'tags'], order: ['id'], limit, transaction }),
  prefetched: (limit) => M.book.findAll({
    include: ['author', { association: 'tags', separate: true }], order: ['id'], limit, transaction,
  }),
  bulkInsert: (from, n) => M.job.bulkCreate(Array.from({ length: n }, (_, i) => ({ id: from + i, done: 0 })),
    { transaction }),
  bulkUpdate: () => M.book.update({ title: 'z' }, { where: { author_id: 1 }, transaction }),
  page: async (last, limit) =>
    (await M.book.findAll({ where: { id: { [Op.gt]: last } }, order: ['id'], limit, transaction })).pop().id,
  purge: (limit) => M.job.destroy({ where: { id: { [Op.gte]: 2000 } }, limit, transaction }),
  job: () => sequelize.transaction(async (t) => {
    const job = await M.job.findOne({ where: { done: 0 }, order: ['id'], lock: true, skipLocked: true, transaction: t });
    job.done = 1;
    await job.save({ transaction: t });
  }),
  rolledBack: async (work) => {
    const t = await sequelize.transaction();
    await work(make(t));
    await t.rollback();
  },
  iterate: async () => {
    for (let offset = 0; (await M.book.findAll({ order: ['id'], limit: 20, offset })).length > 0; offset += 20);
  },
});

module.exports = {
  open: ({ host, port, user, database }) => {
    sequelize = new Sequelize(database, user, '', {
      host, port, dialect: 'postgres', logging: false, pool: { min: 1, max: 1, idle: 60000 },
    });
    define();
    Object.assign(module.exports, make());
  },
  raw: (sql) => sequelize.query(sql),
  close: () => sequelize.close(),
};
