"""Findings about a real Django's queries, for findings.pl.

Prints for each query a line: fire
or silent, 1 if what had to be was so, else 0, a name, and what went wrong.
A query that fires has its suggestion followed: then another plan must be
executed, and fewer blocks read.
"""
import json

import django_setup

django_setup.set_up('shop')

from django.core.paginator import Paginator  # noqa: E402
from django.db import connection, models, transaction  # noqa: E402
from django.db.models import Count, F, OuterRef, Subquery  # noqa: E402

try:
    from django.db.models import JSONField  # noqa: E402
except ImportError:							# before Django 3.1
    from django.contrib.postgres.fields import JSONField  # noqa: E402


class Customer(models.Model):
    name = models.CharField(max_length=50)
    email = models.EmailField(unique=True)

    class Meta:
        app_label = 'shop'


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE)
    reference = models.CharField(max_length=50)
    paid = models.BooleanField()
    shipped = models.DateField(null=True)
    amount = models.DecimalField(max_digits=8, decimal_places=2)
    details = JSONField(default=dict)

    class Meta:
        app_label = 'shop'
        db_table = 'shop_Order'


class Parcel(models.Model):
    # somebody thought that he could do without the index
    order = models.ForeignKey(Order, models.DO_NOTHING, db_index=False)

    class Meta:
        app_label = 'shop'


def sql(text, params=None):
    with connection.cursor() as cursor:
        cursor.execute(text, params)
        return cursor.fetchall() if cursor.description else None


with connection.schema_editor() as editor:
    for model in (Customer, Order, Parcel):
        editor.create_model(model)
Customer.objects.bulk_create(
    Customer(name='name %d' % (i % 700), email='%d@example.com' % i)
    for i in range(2000))
first = Customer.objects.order_by('id').first().id
Order.objects.bulk_create(
    Order(customer_id=first + i % 2000, reference='ref %06d' % i,
          paid=i % 300 != 0, shipped=None if i % 250 == 0 else '2026-11-21',
          amount=i % 1500, details={'gift': True} if i % 900 == 0 else {})
    for i in range(30000))
orders = list(Order.objects.order_by('id').values_list('id', flat=True)[:30000])
Parcel.objects.bulk_create(Parcel(order_id=i) for i in orders[:29000])
for model in (Customer, Order, Parcel):
    sql('ANALYZE "%s"' % model._meta.db_table)
sql('SET max_parallel_workers_per_gather = 0')
sql('SET jit = off')


# name: (kind, query set); its suggestion is followed
FIRE = {
    'filter by a column':
        ('seq_scan_discards', lambda: Order.objects.filter(reference='ref 000123')),
    'filter by two':
        ('seq_scan_discards', lambda: Order.objects.filter(amount__lt=10, shipped='2026-11-20')),
    'a boolean':
        ('seq_scan_discards', lambda: Order.objects.filter(paid=False, amount__gte=100)),
    'isnull':
        ('seq_scan_discards', lambda: Order.objects.filter(shipped__isnull=True)),
    'startswith':
        ('seq_scan_discards', lambda: Order.objects.filter(reference__startswith='ref 0001')),
    'iexact':
        ('seq_scan_discards', lambda: Order.objects.filter(reference__iexact='REF 000123')),
    'a JSON field':
        ('seq_scan_discards', lambda: Order.objects.filter(details__contains={'gift': True})),
    'through a join':
        ('seq_scan_discards', lambda: Order.objects.filter(
            reference='ref 000999', customer__name__gt='')),
    'a range of a foreign key':
        ('index_scan_discards', lambda: Order.objects.filter(customer_id__lt=first + 150, amount=7)),
    'a correlated subquery':
        ('nested_seq_scan', lambda: Customer.objects.filter(id__lt=first + 20).annotate(parcels=Subquery(
            Parcel.objects.filter(order_id=OuterRef('id')).values('order_id')
            .annotate(n=Count('id')).values('n')))),
    'order_by':
        ('sort_spilled', lambda: Order.objects.order_by('reference', 'amount')),
}


def fire_delete():
    """the check waits for COMMIT"""
    before, after = orders[29500], orders[29501]

    def delete(order):
        sql('SELECT missing_symbol.profile_reset()')
        with transaction.atomic():
            Order.objects.filter(id=order)._raw_delete('default')
        return sql('SELECT kind, suggestion FROM missing_symbol.findings')

    found = delete(before)
    if [kind for kind, _ in found] != ['missing_fk_index']:
        return 'found %r' % (found,)
    sql(found[0][1])
    found = delete(after)
    return found and 'still %r' % (found,)


def silent_get():
    Order.objects.get(id=orders[5])
    Customer.objects.get(email='7@example.com')


def silent_related():
    list(Customer.objects.get(id=first + 5).order_set.all())
    list(Order.objects.filter(customer_id=first + 5).select_related('customer'))


def silent_prefetch():
    list(Customer.objects.filter(id__lt=first + 50).prefetch_related('order_set'))


def silent_pages():
    pages = Paginator(Order.objects.order_by('id'), 100)
    for number in (1, 2, 200):
        list(pages.page(number))


def silent_most():
    Order.objects.filter(paid=True).count()
    Order.objects.aggregate(total=models.Sum('amount'))
    list(Customer.objects.annotate(n=Count('order')).order_by('-n')[:5])


def silent_small():
    list(Customer.objects.filter(name='name 5'))
    Customer.objects.filter(name__contains='5').exists()


def silent_write():
    order = Order.objects.create(customer_id=first, reference='new', paid=True, amount=1)
    order.amount = F('amount') + 1
    order.save(update_fields=['amount'])
    Order.objects.bulk_create(
        Order(customer_id=first, reference='b', paid=True, amount=1) for i in range(50))
    Customer.objects.get_or_create(email='1@example.com')


def executed(queryset):
    """the nodes of the plan, and the blocks that it reads"""
    text, params = queryset.query.sql_with_params()
    ((plan,),) = sql('EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ' + text, params)
    plan = (json.loads(plan) if isinstance(plan, str) else plan)[0]['Plan']

    def nodes(node):
        return [[node.get(key) for key in ('Node Type', 'Index Name', 'Index Cond', 'Sort Method')]] + [
            nodes(child) for child in node.get('Plans', ())]

    return nodes(plan), sum(plan[key] for key in (
        'Shared Hit Blocks', 'Shared Read Blocks', 'Temp Read Blocks', 'Temp Written Blocks'))


def indexes():
    return {oid for oid, in sql("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid > 16384")}


def undone(follow):
    """what it did is undone, so that the next one finds the tables as they were"""
    def then_undo(*args):
        before = indexes()
        wrong = follow(*args)
        for index in indexes() - before:
            sql('DROP INDEX ' + index)
        sql('RESET work_mem')
        return wrong
    return then_undo


@undone
def follow(kind, queryset):
    sql('SELECT missing_symbol.profile_reset()')
    sql("SET work_mem = '1MB'")
    list(queryset())
    found = sql('SELECT kind, suggestion FROM missing_symbol.findings')
    if kind not in [each for each, _ in found]:
        return 'found %r' % (found,)
    nodes, blocks = executed(queryset())
    for each, suggestion in found:
        if suggestion is None:
            return '%s without suggestion' % each
        if each == kind:
            sql(suggestion)
    new_nodes, new_blocks = executed(queryset())
    if new_nodes == nodes or new_blocks >= blocks:
        return '%r: %r %d, then %r %d' % (found, nodes, blocks, new_nodes, new_blocks)


def tell(expected, name, wrong):
    print(expected, 0 if wrong else 1, name, '' if not wrong else '# %s' % wrong)


sql('SELECT missing_symbol.profile_start(plans => true)')
for name, (kind, queryset) in FIRE.items():
    tell('fire', name, follow(kind, queryset))
tell('fire', 'delete', fire_delete())
for name, trace in list(globals().items()):
    if name.startswith('silent_'):
        sql('SELECT missing_symbol.profile_reset()')
        trace()
        tell('silent', name[7:],
             sql('SELECT kind, relation, suggestion, why FROM missing_symbol.findings'))
