"""A Django field for columns of type counter, and its count in queries.

    class Download(models.Model):
        file = models.CharField(max_length=200, primary_key=True)
        c = CounterField()

    Download.objects.annotate(hits=Hits('c')).order_by('-hits')

The value is a dict as the type's JSON has it: count, first_seen, last_seen; None
before the first increment.  Only increment() writes it: saving an object leaves
it alone.
"""
import json

from django.db import models


class CounterField(models.Field):
    def __init__(self, *args, **options):
        options.update(null=True, editable=False)
        super().__init__(*args, **options)

    def db_type(self, connection):
        return 'missing_symbol.counter'

    def select_format(self, compiler, sql, params):
        return '(%s)::json' % sql, params

    def from_db_value(self, value, expression, connection):
        return json.loads(value) if isinstance(value, str) else value

    def get_placeholder(self, value, compiler, connection):
        return '(%s)::missing_symbol.counter'

    def pre_save(self, instance, add):
        return None if add else models.F(self.attname)


class Hits(models.Func):
    """the count, as an expression"""
    function = 'missing_symbol.hits'
    output_field = models.BigIntegerField()
