# A type of ActiveRecord for columns of type counter.
#
#     CounterType.register(ActiveRecord::Base.connection)      # else it warns of an unknown type
#
#     class Download < ActiveRecord::Base
#       attribute :c, CounterType.new
#     end
#
# The value has count, first_seen and last_seen.  Only increment writes it: it is
# the same as long as it is not assigned to.
class CounterType < ActiveRecord::Type::Value
  Counter = Struct.new(:count, :first_seen, :last_seen)

  def self.register(connection)
    oid = connection.select_value("SELECT 'missing_symbol.counter'::regtype::oid")
    connection.send(:type_map).register_type(oid, new)
  end

  def deserialize(text)
    return text unless text.is_a?(String)

    count, first, last = text.match(/\A(-?\d+) \[(.*),(.*)\]\z/).captures
    Counter.new(count.to_i, Time.parse(first), Time.parse(last))
  end

  def serialize(value)
    value && "#{value.count} [#{value.first_seen.iso8601(6)},#{value.last_seen.iso8601(6)}]"
  end
end
