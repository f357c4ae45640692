"""The manual's middleware for Django in a small project: MANUAL is doc/page.md.

Prints a line for what was asked: name and answer's beginning."""
import re
import sys

sys.path.insert(0, sys.argv[2])
from django_setup import set_up  # noqa: E402

set_up('page_app')

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import RequestFactory  # noqa: E402

snippet = re.search(r'```python\n(.*?)```', open(sys.argv[1]).read(), re.S).group(1)
names = {}
exec(snippet, names)


def books(request):
    with connection.cursor() as cursor:
        for book in range(6):
            cursor.execute('SELECT price FROM book WHERE id = %s', [book])
    return HttpResponse('the books')


handler = names['profile'](books)
for debug, path in ((False, '/books?profile'), (True, '/books'), (True, '/books?profile'), (True, '/other?profile')):
    settings.DEBUG = debug
    settings.ALLOWED_HOSTS = ['*']
    page = handler(RequestFactory().get(path)).content.decode('ascii')
    print(debug, path, page[:15], re.findall(r'<h3>(/\w+)</h3>', page), re.findall(r'>(\d+)&#xD7;</text>', page))
