"""A SQLAlchemy type for columns of type counter, and its count in queries.

    class Download(Base):
        __tablename__ = 'download'
        file = Column(Text, primary_key=True)
        c = Column(Counter)

    select(Download.file).order_by(hits(Download.c).desc())

The value is a dict as the type's JSON has it: count, first_seen, last_seen.
Only increment() writes it: leave the attribute alone.
"""
import json

from sqlalchemy import BigInteger, func
from sqlalchemy.types import UserDefinedType


class Counter(UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **options):
        return 'missing_symbol.counter'

    def column_expression(self, column):
        return func.to_json(column, type_=self)

    def result_processor(self, dialect, coltype):
        return lambda value: json.loads(value) if isinstance(value, str) else value


def hits(column):
    """the count, as an expression"""
    return func.missing_symbol.hits(column, type_=BigInteger)
