"""A blog in one file, for make demo APP=django.

    blog.py prepare             its tables, and posts
    blog.py serve SECONDS PAGE  on a port of 127.0.0.1, with readers of its own;
                                at last the profile's page of its home is in PAGE

Views are counted a page and a day, readers have a token bucket, and the home
page asks for the author of each post.
"""
import os
import random
import sys
import threading
import time
import urllib.error
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from socketserver import ThreadingMixIn

import django
from django.conf import settings

READERS = 8
RATE, BURST = 300, 20       # calls a minute, and at once

settings.configure(
    ALLOWED_HOSTS=['127.0.0.1'], ROOT_URLCONF=__name__, MIDDLEWARE=[__name__ + '.limit', __name__ + '.profile'],
    SECRET_KEY='demo', DEFAULT_AUTO_FIELD='django.db.models.AutoField', USE_TZ=True,
    DATABASES={'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': 'demo', 'CONN_MAX_AGE': 60}})
django.setup()

from django.db import connection, models  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402


class Author(models.Model):
    name = models.TextField()

    class Meta:
        app_label = 'blog'


class Post(models.Model):
    title = models.TextField()
    author = models.ForeignKey(Author, models.CASCADE)

    class Meta:
        app_label = 'blog'


def sql(text, *values):
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchone()[0] if cursor.description else None


def prepare():
    sql('''
    CREATE EXTENSION IF NOT EXISTS missing_symbol;
    CREATE TABLE views (page text, day date, count bigint NOT NULL, last_seen timestamptz, PRIMARY KEY (page, day))
    WITH (fillfactor = 70);
    CREATE TABLE calls (reader text PRIMARY KEY, count bigint NOT NULL, full_at timestamptz) WITH (fillfactor = 70);
    SELECT missing_symbol.configure('calls', '{"bucket": "full_at"}')''')
    with connection.schema_editor() as editor:
        editor.create_model(Author)
        editor.create_model(Post)
    for n in range(1, 21):
        Post.objects.create(title='Post %d' % n, author=Author.objects.create(name='Author %d' % n))


def limit(get_response):
    """who asks too often is told so, and waits for nobody"""
    def middleware(request):
        if not sql("SELECT missing_symbol.allow_rate('calls', %s, '1 minute', %s, %s)", RATE, BURST,
                   request.META.get('HTTP_X_READER', request.META['REMOTE_ADDR'])):
            return HttpResponse('Too many requests', status=429)
        return get_response(request)
    return middleware


def profile(get_response):
    def middleware(request):
        if 'profile' not in request.GET:
            return get_response(request)
        sql('SELECT missing_symbol.profile_start(plans => true), missing_symbol.profile_reset()')
        sql('SELECT missing_symbol.profile_mark(%s)', 'GET ' + request.path)
        get_response(request)
        page = sql("SELECT missing_symbol.profile_report('html')")
        sql('SELECT missing_symbol.profile_stop()')
        return HttpResponse(page)
    return middleware


def viewed(request):
    sql("SELECT missing_symbol.increment('views', %s, current_date)", request.path)


def home(request):
    viewed(request)
    # a query for each author, on purpose
    return HttpResponse('\n'.join('%s, by %s' % (post.title, post.author.name) for post in Post.objects.order_by('id')))


def post(request, number):
    viewed(request)
    return HttpResponse(Post.objects.select_related('author').get(pk=number).title)


urlpatterns = [path('', home), path('post/<int:number>', post)]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def get(url, reader):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={'X-Reader': reader}), timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, b''


def read(url, number, until, answers):
    """one reader; the first is in a hurry"""
    dice = random.Random(number)
    while time.monotonic() < until:
        page = '' if dice.random() < 0.3 else 'post/%d' % min(20, int(dice.expovariate(0.3)) + 1)
        status, _ = get(url + page, 'reader %d' % number)
        answers.append(status)
        time.sleep(0 if number == 0 else dice.uniform(0.1, 0.4))


def serve(seconds, page):
    from django.core.wsgi import get_wsgi_application
    server = Server(('127.0.0.1', 0), Quiet)
    server.set_app(get_wsgi_application())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = 'http://127.0.0.1:%d/' % server.server_port
    print('  %s, with %d readers, for %d seconds' % (url, READERS, seconds), flush=True)
    answers = []
    until = time.monotonic() + seconds
    readers = [threading.Thread(target=read, args=(url, n, until, answers)) for n in range(READERS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    print('  %d pages were read, %d requests refused' % (answers.count(200), answers.count(429)))
    wrong = [status for status in answers if status not in (200, 429)]
    if wrong or sql('SELECT sum(count) FROM views') != answers.count(200):
        sys.exit('the views do not add up: %s of %d, and %s' % (sql('SELECT sum(count) FROM views'), answers.count(200), wrong))
    status, report = get(url + '?profile', 'you')
    with open(page, 'wb') as file:
        file.write(report)
    server.shutdown()


if sys.argv[1] == 'prepare':
    prepare()
else:
    serve(int(sys.argv[2]), sys.argv[3])
