"""Findings about a real Django's queries, for findings.pl.

Prints for each query a line: fire
or silent, 1 if what had to be was so, else 0, a name, and what went wrong.
A query that fires has its suggestion followed: then another plan must be
executed, and fewer blocks read.
"""
import json

from django_shop import Customer, Order, Parcel, first, orders, sql

from django.core.paginator import Paginator
from django.db import models, transaction
from django.db.models import Count, F, OuterRef, Subquery


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
