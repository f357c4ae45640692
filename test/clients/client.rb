# Runs statements.tsv through a client for Ruby: client.rb MODE.  See client.py.
require 'bigdecimal'
require 'date'

CONVERT = {
  'int' => ->(v) { v.to_i }, 'bigint' => ->(v) { v.to_i }, 'date' => ->(v) { Date.iso8601(v) },
  'numeric' => ->(v) { BigDecimal(v) }, 'texts' => ->(v) { v.split('|') }
}.freeze

def parameter(text)
  kind, value = text.split(':', 2)
  value == '\N' ? nil : CONVERT.fetch(kind, ->(v) { v }).call(value)
end

def used(sql, values)
  values.first(sql.scan(/\$(\d+)/).flatten.map(&:to_i).max || 0)
end

def with_pg
  require 'pg'
  connection = PG.connect
  connection.type_map_for_queries = PG::BasicTypeMapForQueries.new(connection)
  connection.type_map_for_results = PG::BasicTypeMapForResults.new(connection)
  run = lambda do |sql, values|
    result = connection.exec_params(sql, used(sql, values))
    result.nfields.positive? ? result.getvalue(0, 0) : nil
  end
  ["pg #{PG::VERSION}", run]
end

def with_pg_plain
  require 'pg'
  connection = PG.connect
  run = lambda do |sql, values|
    texts = used(sql, values).map { |v| v.is_a?(Array) ? PG::TextEncoder::Array.new.encode(v) : v.is_a?(BigDecimal) ? v.to_s('F') : v&.to_s }
    result = connection.exec_params(sql, texts)
    result.nfields.positive? ? result.getvalue(0, 0) : nil
  end
  ["pg #{PG::VERSION}", run]
end

# binds by name, which the statement's text gets as literals, or by Arel
def with_active_record(prepared)
  require 'active_record'
  ActiveRecord::Base.establish_connection(
    adapter: 'postgresql', host: ENV['PGHOST'], port: ENV['PGPORT'], username: ENV['PGUSER'],
    database: ENV['PGDATABASE'], pool: 1, prepared_statements: prepared
  )
  connection = ActiveRecord::Base.connection
  run = lambda do |sql, values|
    next connection.execute(sql) && nil unless sql.start_with?('SELECT')

    if prepared
      binds = used(sql, values).map do |v|
        ActiveRecord::Relation::QueryAttribute.new('v', v, ActiveRecord::Type::Value.new)
      end
      connection.exec_query(sql, 'count', binds, prepare: true).rows.dig(0, 0)
    else
      order = []
      text = sql.gsub(/\$(\d+)/) { order << values[::Regexp.last_match(1).to_i - 1] && '?' }
      connection.select_value(ActiveRecord::Base.sanitize_sql_array([text, *order]))
    end
  end
  ["ActiveRecord #{ActiveRecord::VERSION::STRING}", run]
end

version, run = case ARGV[0]
               when 'pg-ruby' then with_pg
               when 'pg-ruby-text' then with_pg_plain
               when 'activerecord' then with_active_record(false)
               when 'activerecord-binds' then with_active_record(true)
               end

def sqlstate(error)
  while error
    return error.result.error_field(PG::PG_DIAG_SQLSTATE) if error.respond_to?(:result) && error.result

    error = error.cause
  end
  'refused'
end

all = lambda do |sql, values|
  value = nil
  sql.split('; ').each { |statement| value = run.call(statement, values) }
  value.is_a?(BigDecimal) ? value.to_s('F') : value.to_s
end

puts ['version', version].join("\t")
File.readlines(File.join(__dir__, 'statements.tsv'), chomp: true).each do |text|
  next if text.start_with?('#')

  name, expected, sql, cast, *parameters = text.split("\t", -1)
  values = parameters.map { |p| parameter(p) }
  begin
    puts [name, 'ok', all.call(sql, values)].join("\t")
    next
  rescue StandardError => e
    state = sqlstate(e)
    message = e.message.lines.first.chomp
  end
  if cast != '' && !expected.start_with?("error #{state}")
    begin
      puts [name, 'cast', all.call(cast, values), state, message].join("\t")
      next
    rescue StandardError => e
      message += " / #{e.message.lines.first.chomp}"
    end
  end
  puts [name, 'error', state, message].join("\t")
end
