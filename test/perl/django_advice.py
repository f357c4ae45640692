"""Statements of a real Django's ORM at random, for advice_random.pl.

django_advice.py SEED N: makes the shop's tables, and prints what N queries
send, a statement a line.
"""
import random
import sys

from django_shop import Customer, Order, Parcel, first, orders, sql

from django.db import connection
from django.db.models import Avg, Count, Exists, F, OuterRef, Q, Sum
from django.test.utils import CaptureQueriesContext

random.seed(int(sys.argv[1]))
connection.force_debug_cursor = True
# some have more than others
sql('UPDATE "shop_Order" SET amount = amount * amount / 1500, reference = reference || chr(97 + id % 26) WHERE id % 3 = 0')
sql('VACUUM ANALYZE "shop_Order"')
sql('VACUUM ANALYZE shop_customer')
sql('VACUUM ANALYZE shop_parcel')


def number(a, b):
    return random.randint(a, b)


def order_lookup(prefix=''):
    lookup, value = random.choice([
        lambda: ('reference', 'ref %06d' % number(0, 30000)),
        lambda: ('reference__startswith', 'ref %04d' % number(0, 300)),
        lambda: ('reference__endswith', random.choice('abcz7')),
        lambda: ('reference__icontains', '%03d' % number(0, 999)),
        lambda: ('reference__in', ['ref %06d' % number(0, 30000) for _ in range(3)]),
        lambda: ('reference__gt', 'ref %06d' % number(0, 30000)),
        lambda: ('reference__regex', r'^ref %04d' % number(0, 300)),
        lambda: ('amount', number(0, 1500)),
        lambda: ('amount__lt', number(0, 300)),
        lambda: ('amount__gte', number(1000, 1500)),
        lambda: ('amount__range', (number(0, 700), number(701, 1500))),
        lambda: ('amount__in', [number(0, 1500) for _ in range(4)]),
        lambda: ('paid', random.random() < 0.4),
        lambda: ('shipped__isnull', random.random() < 0.8),
        lambda: ('shipped__year', random.choice([2025, 2026])),
        lambda: ('shipped', '2026-11-%02d' % number(20, 23)),
        lambda: ('details__contains', {'gift': True}),
        lambda: ('details__gift', True),
        lambda: ('customer_id', first + number(0, 2500)),
        lambda: ('customer__name', 'name %d' % number(0, 800)),
        lambda: ('customer__email__startswith', '%d' % number(1, 99)),
        lambda: ('id__lt', orders[number(1, len(orders) - 1)]),
        lambda: ('id__range', (orders[100], orders[number(200, len(orders) - 1)])),
    ])()
    return {prefix + lookup: value}


def some_orders():
    found = Order.objects.all()
    for _ in range(number(1, 3)):
        kind = random.random()
        if kind < 0.7:
            found = found.filter(**order_lookup())
        elif kind < 0.85:
            found = found.exclude(**order_lookup())
        else:
            found = found.filter(Q(**order_lookup()) | Q(**order_lookup()))
    return found


def some_order():
    return random.choice(['', '-']) + random.choice(['amount', 'reference', 'shipped', 'customer', 'id'])


QUERIES = [
    lambda: list(some_orders()),
    lambda: list(some_orders().values_list('id', 'amount')),
    lambda: some_orders().count(),
    lambda: some_orders().exists(),
    lambda: some_orders().first(),
    lambda: some_orders().aggregate(Sum('amount'), Avg('amount')),
    lambda: list(some_orders().order_by(some_order())[:number(1, 50)]),
    lambda: list(Order.objects.order_by(some_order(), some_order())[:number(1, 50)]),
    lambda: list(some_orders().order_by(some_order()).select_related('customer')[:number(1, 50)]),
    lambda: list(some_orders().values('customer').annotate(n=Count('id'), sum=Sum('amount')).order_by('-n')[:5]),
    lambda: list(some_orders().values('paid').distinct()),
    lambda: list(Customer.objects.filter(**order_lookup('order__')).distinct()[:20]),
    lambda: list(Customer.objects.filter(id__lt=first + number(5, 500))
                 .annotate(ordered=Exists(some_orders().filter(customer=OuterRef('id')))).filter(ordered=True)),
    lambda: list(Parcel.objects.filter(order__in=some_orders()[:number(1, 20)])),
    lambda: list(Parcel.objects.filter(order_id=orders[number(0, 29999)])),
    lambda: list(Parcel.objects.filter(**order_lookup('order__')).select_related('order')[:20]),
    lambda: list(Customer.objects.filter(name='name %d' % number(0, 800)).prefetch_related('order_set')),
    lambda: list(some_orders().filter(amount__gt=F('customer_id')).only('id')),
    lambda: list((some_orders().values('id')).union(some_orders().values('id'))[:number(5, 500)]),
]

always = [lambda: list(Order.objects.filter(reference='ref 000124'))]
for query in always + random.choices(QUERIES, k=int(sys.argv[2])):
    with CaptureQueriesContext(connection) as sent:
        try:
            query()
        except NotImplementedError:
            continue
    for each in sent.captured_queries:
        if each['sql'].startswith('SELECT') and '\n' not in each['sql']:
            print(each['sql'])
