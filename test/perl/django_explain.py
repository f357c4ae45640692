"""Real queries of a Django project for explain.pl.

Prints for each check: ok or not,
and what it is.
"""
import json

import django_setup

django_setup.set_up('shop')

from django.db import connection, models, transaction  # noqa: E402
from django.db.models import Count, F, Q  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402


class Customer(models.Model):
    name = models.CharField(max_length=50)
    email = models.EmailField()

    class Meta:
        app_label = 'shop'


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    status = models.CharField(max_length=10)
    paid = models.BooleanField(default=False)
    total = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        app_label = 'shop'


MODELS = [Customer, Order]


def check(name, condition):
    print('ok' if condition else 'WRONG', name)


def numbered(sql, params):
    """Django's %s become $1, $2, ..."""
    return sql % tuple('$%d' % (i + 1) for i in range(len(params)))


def explain(queryset, setup=None):
    sql, params = queryset.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SELECT missing_symbol.explain_analyze(%s, %s, %s, 'json')",
                       [numbered(sql, params), [str(p) for p in params], setup])
        document = json.loads(cursor.fetchone()[0])
    return document[0]['Plan'], document[-1]['Findings'], document[-1]['Notes']


def undone(name, sql):
    """Explain a statement that Django sent, with its values in it."""
    def state():
        return [list(m.objects.order_by('pk').values_list()) for m in MODELS]

    before = state()
    with connection.cursor() as cursor:
        cursor.execute("SELECT missing_symbol.explain_analyze(%s, NULL, NULL, 'json')", [sql])
        notes = json.loads(cursor.fetchone()[0])[-1]['Notes']
    check(name, state() == before)
    return notes


def compare(a, b):
    texts = [str(q.query) if not isinstance(q, str) else q for q in (a, b)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT same_result FROM missing_symbol.compare(%s, %s, 10) WHERE variant = 'b'", texts)
        return cursor.fetchone()[0]


def sent_by(function):
    """What the ORM sends for that, rolled back."""
    with CaptureQueriesContext(connection) as captured:
        try:
            with transaction.atomic():
                function()
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
    return [q['sql'] for q in captured
            if q['sql'].split()[0] in ('INSERT', 'UPDATE', 'DELETE')]


with connection.schema_editor() as editor:
    for model in MODELS:
        editor.create_model(model)
Customer.objects.bulk_create(
    [Customer(name='c%d' % i, email='c%d@example.org' % i) for i in range(5000)])
first = Customer.objects.order_by('pk').first().pk
Order.objects.bulk_create(
    [Order(customer_id=first + i % 5000, status='open' if i % 1000 == 0 else 'sent', total=i)
     for i in range(20000)])
with connection.cursor() as cursor:
    cursor.execute('VACUUM ANALYZE')

plan, findings, notes = explain(Customer.objects.filter(pk=first + 7))
check('get by primary key: an index, no finding', 'Index' in plan['Node Type'] and not findings and not notes)
open_orders = Order.objects.filter(status='open')
plan, findings, notes = explain(open_orders)
check('filter without an index: a finding', [f['Kind'] for f in findings] == ['seq_scan_discards'])
check('its index', findings[0]['Suggestion'].startswith('CREATE INDEX ON public.shop_order (status'))
after, findings, notes = explain(open_orders, findings[0]['Suggestion'])
blocks = [p['Shared Hit Blocks'] + p['Shared Read Blocks'] for p in (plan, after)]
check('with it, less is read', blocks[1] * 2 < blocks[0] and not findings)
plan, findings, notes = explain(Order.objects.select_related('customer').filter(customer=first + 7))
check('a foreign key has its index', not findings)
plan, findings, notes = explain(Order.objects.values('status').annotate(n=Count('pk')))
check('an aggregate reads all, no finding', plan['Actual Rows'] == 2 and not findings)
plan, findings, notes = explain(Order.objects.order_by('-pk')[:10])
check('a page of the latest', plan['Node Type'] == 'Limit' and not findings)

statements = sent_by(lambda: Order.objects.create(customer_id=first, status='new', total=1))
notes = undone('create() is undone', statements[0])
check('its sequence is named', any('public.shop_order_id_seq' in n for n in notes))
check('its deferred foreign key is checked', 'deferred constraints hold' in notes)
statements = sent_by(lambda: Order.objects.filter(status='open').update(total=F('total') + 1))
undone('update() is undone', statements[0])
statements = sent_by(lambda: Customer.objects.filter(pk=first).delete())
notes = undone('delete() is undone', statements[-1])
check('its outcome at commit is a note', any('do not hold' in n for n in notes))

check('two ways to ask are the same',
      compare(Order.objects.filter(customer__in=[first, first + 1]),
              Order.objects.filter(Q(customer=first) | Q(customer=first + 1))))
check('two that are not are told',
      not compare(Order.objects.filter(customer=first), Order.objects.filter(customer=first + 1)))
