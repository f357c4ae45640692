"""Traces of a real Django for profile_n_plus_one.pl.

Prints for each trace: fire or
silent, the number of candidates, a name.
"""
import os

import django_setup

django_setup.set_up('corpus')

from django.core.paginator import Paginator  # noqa: E402
from django.db import IntegrityError, connection, models, transaction  # noqa: E402


class Publisher(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = 'corpus'


class Author(models.Model):
    name = models.CharField(max_length=50, unique=True)
    publisher = models.ForeignKey(Publisher, models.CASCADE)

    class Meta:
        app_label = 'corpus'


class Book(models.Model):
    title = models.CharField(max_length=50)
    author = models.ForeignKey(Author, models.CASCADE)
    tags = models.ManyToManyField('Tag')

    class Meta:
        app_label = 'corpus'


class Tag(models.Model):
    name = models.CharField(max_length=50)

    class Meta:
        app_label = 'corpus'


def sql(text):
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall() if cursor.description else None


with connection.schema_editor() as editor:
    for model in (Publisher, Tag, Author, Book):
        editor.create_model(model)

publishers = Publisher.objects.bulk_create(
    Publisher(name='publisher %d' % i) for i in range(3))
authors = Author.objects.bulk_create(
    Author(name='author %d' % i, publisher=publishers[i % 3])
    for i in range(10))
Book.objects.bulk_create(
    Book(title='book %d' % i, author=authors[i % 10]) for i in range(100))
tags = Tag.objects.bulk_create(Tag(name='tag %d' % i) for i in range(5))
for book in Book.objects.all()[:20]:
    book.tags.set(tags[:3])


def fire_foreign_key():
    for book in Book.objects.order_by('id')[:10]:
        book.author.name


def fire_foreign_key_atomic():
    with transaction.atomic():
        fire_foreign_key()


def fire_reverse():
    for author in Author.objects.all():
        list(author.book_set.all())


def fire_many_to_many():
    for book in Book.objects.order_by('id')[:8]:
        [tag.name for tag in book.tags.all()]


def fire_count():
    for author in Author.objects.all():
        author.book_set.count()


def fire_save():
    for book in Book.objects.order_by('id')[:10]:
        book.title = book.title + '!'
        book.save()


def fire_save_atomic_each():
    for book in Book.objects.order_by('id')[:10]:
        with transaction.atomic():
            book.title = book.title + '?'
            book.save(update_fields=['title'])


def fire_create():
    for i in range(10):
        Tag.objects.create(name='new %d' % i)


def fire_get():
    for i in range(1, 9):
        Author.objects.get(name='author %d' % i)


def fire_get_or_create():
    for i in range(10):
        Author.objects.get_or_create(
            name='maybe %d' % i, defaults={'publisher': publishers[0]})


def fire_exists():
    for i in range(10):
        Book.objects.filter(title='book %d' % i).exists()


def fire_delete():
    for tag in Tag.objects.filter(name__startswith='new'):
        tag.delete()


def silent_select_related():
    for book in Book.objects.select_related('author__publisher')[:20]:
        book.author.publisher.name


def silent_prefetch():
    for author in Author.objects.prefetch_related('book_set__tags'):
        for book in author.book_set.all():
            [tag.name for tag in book.tags.all()]


def silent_pages():
    pages = Paginator(Book.objects.order_by('id'), 10)
    for number in pages.page_range:
        list(pages.page(number))


def silent_bulk_create():
    Book.objects.bulk_create(
        Book(title='bulk %d' % i, author=authors[i % 10]) for i in range(30))


def silent_bulk_create_batches():
    Book.objects.bulk_create(
        [Book(title='bulk %d' % i, author=authors[i % 10]) for i in range(60)],
        batch_size=10)


def silent_bulk_create_atomic():
    with transaction.atomic():
        silent_bulk_create()


def silent_iterator():
    for book in Book.objects.iterator(chunk_size=10):
        book.title


def silent_update():
    Book.objects.filter(author=authors[1]).update(title='updated')
    Book.objects.filter(author=authors[2]).delete()


def silent_retry():
    for attempt in range(6):
        try:
            with transaction.atomic():
                Publisher.objects.get(name='publisher 1')
                Author.objects.create(
                    name='author 1', publisher=publishers[0])
        except IntegrityError:
            pass


def silent_page():
    """a page of a site: eight queries, each of another kind"""
    Author.objects.count()
    Book.objects.count()
    list(Author.objects.order_by('name')[:5])
    list(Book.objects.order_by('-id')[:5])
    list(Publisher.objects.all())
    Tag.objects.filter(name='tag 1').exists()
    Book.objects.filter(author=authors[3]).first()
    Author.objects.get(name='author 4')


def silent_in():
    ids = Book.objects.values_list('author_id', flat=True)[:20]
    list(Author.objects.filter(id__in=list(ids)))


def silent_few():
    for author in Author.objects.all()[:3]:
        author.book_set.count()


recording = 'RECORDING' in os.environ      # see test/corpus/record.py
if not recording:
    sql('SELECT missing_symbol.profile_start()')
for name, trace in list(globals().items()):
    expected = name.split('_')[0]
    if expected not in ('fire', 'silent'):
        continue
    title = name[len(expected) + 1:].replace('_', ' ')
    if recording:
        sql("SELECT 'stream %s: %s'" % (expected, title))
        trace()
        continue
    sql('SELECT missing_symbol.profile_reset()')
    trace()
    (count,), = sql("SELECT count(*) FROM missing_symbol.n_plus_one WHERE evidence <> 'loop'")
    print(expected, count, title)
