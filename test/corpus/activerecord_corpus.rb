# Streams of ActiveRecord, to be recorded by record.py; see streams.js for what
# each is.
require 'active_record'

ActiveRecord::Base.establish_connection(
  adapter: 'postgresql', host: ENV['PGHOST'], port: ENV['PGPORT'], username: ENV['PGUSER'],
  database: ENV.fetch('PGDATABASE', 'postgres'), pool: 1
)

class Record < ActiveRecord::Base
  self.abstract_class = true
end

TABLES = (0..11).map do |n|
  Object.const_set("Related#{n}", Class.new(Record) { self.table_name = "related_#{n}" })
end

class Author < Record
  self.table_name = 'author'
end

class Tag < Record
  self.table_name = 'tag'
end

class Job < Record
  self.table_name = 'job'
end

class Book < Record
  self.table_name = 'book'
  belongs_to :author
  has_many :tags
  TABLES.each_with_index { |table, n| belongs_to :"related_#{n}", class_name: table.name }
end

class Note < Record
  self.table_name = 'note'
  belongs_to :target, polymorphic: true
end

def books
  Book.order(:id).limit(20)
end

def lazy(relations)
  -> { books.each { |book| relations.times { |n| book.public_send("related_#{n}").name } } }
end

RANDOM = Random.new(1)

def request
  id = RANDOM.rand(1..20)
  4.times { |n| TABLES[n].find(id) }
  case RANDOM.rand(3)
  when 0 then Author.find(RANDOM.rand(1..8)) && TABLES[4].find_by(id: id)
  when 1 then Book.order(:id).limit(5).to_a && TABLES[5].find_by(id: id)
  else TABLES[6].where(id: id).update_all(name: 'y') && TABLES[7].find(id)
  end
end

def test(id)
  Record.transaction do
    8.times { |n| TABLES[n].create!(id: id, name: 'x') }
    TABLES[0].find(id)
    TABLES[1].find(id).update!(name: 'y')
    Book.order(:id).limit(5).to_a
    raise ActiveRecord::Rollback
  end
end

STREAMS = [
  *[1, 2, 5, 12].map { |n| ["strong #{n}", "lazy, relations: #{n}", lazy(n)] },
  ['strong 1', 'lazy, a collection', -> { books.each { |book| book.tags.to_a } }],
  ['strong 1', 'lazy, 20 books of 7 authors', -> { books.each { |book| book.author.name } }],
  ['strong 1', 'count of a collection', -> { books.each { |book| book.tags.count } }],
  ['strong 1', 'a query cache, as a request has it',
   -> { Record.cache { books.each { |book| book.author.name } } }],
  ['strong 1', 'polymorphic', -> { Note.order(:id).each { |note| note.target.name } }],
  ['strong 2', 'in batches, with lookups', -> { Book.find_each(batch_size: 25) { |b| b.related_0.name && b.tags.exists? } }],
  ['burst 1', 'get in a loop', -> { (1..8).each { |n| Author.find(n) } }],
  ['burst 2', 'insert and update in a loop', lambda {
    8.times { |n| Job.create!(id: 1000 + n, done: 0) && Book.where(id: n + 1).update_all(title: 'x') }
  }],
  ['silent', 'joined', -> { Book.eager_load(:author, :tags).order(:id).limit(20).to_a }],
  ['silent', 'prefetched', -> { books.preload(:author, :tags).to_a }],
  ['silent', 'polymorphic, prefetched', -> { Note.order(:id).preload(:target).to_a }],
  ['silent', 'bulk insert', -> { Job.insert_all((0...120).map { |n| { id: 2000 + n, done: 0 } }) }],
  ['silent', 'bulk update', -> { Book.where(author_id: 1).update_all(title: 'z') }],
  ['silent', 'keyset pages', lambda {
    last = 0
    6.times { last = Book.where('id > ?', last).order(:id).limit(15).pluck(:id).last }
  }],
  ['silent', 'purge in batches', -> { 6.times { Job.where('id >= 2000').order(:id).limit(20).delete_all } }],
  ['silent', 'job queue', lambda {
    8.times do
      Record.transaction do
        Job.where(done: 0).order(:id).lock('FOR UPDATE SKIP LOCKED').first.update!(done: 1)
      end
    end
  }],
  ['silent', 'worker, six statements a job', lambda {
    12.times do |n|
      Author.find(n % 8 + 1)
      5.times { |k| TABLES[k].where(id: n + 1).update_all(name: 'y') }
    end
  }],
  ['silent', 'requests without marks', -> { 60.times { request } }],
  ['silent', 'tests without marks, with fixtures', -> { 30.times { |n| test(10_000 + n) } }],
  ['silent', 'iterator', -> { Book.find_each(batch_size: 20) { |book| book.title } }]
].freeze

STREAMS.each do |expected, title, stream|
  Record.connection.raw_connection.exec("SELECT 'stream #{expected}: #{title}'")
  stream.call
end
