"""A Django's shop with its data, for the scripts about findings."""
import django_setup

django_setup.set_up('shop')

from django.db import connection, models  # noqa: E402

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
