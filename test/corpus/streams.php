<?php
/*
 * Streams of PHP's database layers, to be recorded by record.py; see streams.js
 * for what each is.
 *
 *     php streams.php illuminate|dbal
 */
require __DIR__ . "/orm_$argv[1].php";

define('DSN', sprintf('pgsql:host=%s;port=%s;dbname=%s', getenv('PGHOST'), getenv('PGPORT'), getenv('PGDATABASE')));

function lazy($s, int $relations): void
{
    foreach ($s->books(20) as $book)
        for ($n = 0; $n < $relations; $n++)
            $s->related($book, $n);
}

function request($s): void
{
    $id = mt_rand(1, 20);
    for ($n = 0; $n < 4; $n++)
        $s->find($n, $id);
    switch (mt_rand(0, 2)) {
        case 0:
            $s->get(mt_rand(1, 8));
            $s->find(4, $id);
            break;
        case 1:
            $s->books(5);
            $s->find(5, $id);
            break;
        default:
            $s->touch(6, $id);
            $s->find(7, $id);
    }
}

function test($s, int $id): void
{
    $s->begin();
    for ($n = 0; $n < 8; $n++)
        $s->create($n, $id);
    $s->find(0, $id);
    $s->touch(1, $id);
    $s->books(5);
    $s->rollBack();
}

$streams = [
    ['strong 1', 'lazy, relations: 1', fn($s) => lazy($s, 1)],
    ['strong 2', 'lazy, relations: 2', fn($s) => lazy($s, 2)],
    ['strong 5', 'lazy, relations: 5', fn($s) => lazy($s, 5)],
    ['strong 12', 'lazy, relations: 12', fn($s) => lazy($s, 12)],
    ['strong 1', 'lazy, a collection', function ($s) {
        foreach ($s->books(20) as $book) $s->tags($book);
    }],
    ['strong 1', 'lazy, 20 books of 7 authors', function ($s) {
        foreach ($s->books(20) as $book) $s->author($book);
    }],
    ['strong 1', 'polymorphic', function ($s) {
        foreach ($s->notes() as $note) $s->target($note);
    }],
    ['strong 1', 'an iterator, with lookups', function ($s) {
        foreach ($s->iterate() as $book) $s->related($book, 0);
    }],
    ['burst 1', 'get in a loop', function ($s) {
        for ($n = 1; $n <= 8; $n++) $s->get($n);
    }],
    ['burst 2', 'insert and update in a loop', function ($s) {
        for ($n = 0; $n < 8; $n++) {
            $s->insert(1000 + $n);
            $s->update($n + 1);
        }
    }],
    ['silent', 'joined', fn($s) => $s->joined(20)],
    ['silent', 'prefetched', fn($s) => $s->prefetched(20)],
    ['silent', 'bulk insert', fn($s) => $s->bulkInsert(2000, 120)],
    ['silent', 'bulk update', fn($s) => $s->bulkUpdate()],
    ['silent', 'keyset pages', function ($s) {
        for ($last = 0, $page = 0; $page < 6; $page++) $last = $s->page($last, 15);
    }],
    ['silent', 'purge in batches', function ($s) {
        for ($n = 0; $n < 6; $n++) $s->purge(20);
    }],
    ['silent', 'job queue', function ($s) {
        for ($n = 0; $n < 8; $n++) $s->job();
    }],
    ['silent', 'worker, six statements a job', function ($s) {
        for ($n = 0; $n < 12; $n++) {
            $s->get($n % 8 + 1);
            for ($k = 0; $k < 5; $k++) $s->touch($k, $n + 1);
        }
    }],
    ['silent', 'requests without marks', function ($s) {
        for ($n = 0; $n < 60; $n++) request($s);
    }],
    ['silent', 'tests without marks, with fixtures', function ($s) {
        for ($n = 0; $n < 30; $n++) test($s, 10000 + $n);
    }],
    ['silent', 'iterator', function ($s) {
        foreach ($s->iterate() as $book);
    }],
];

mt_srand(1);
$session = new Session();
foreach ($streams as [$expected, $title, $stream]) {
    $session->pdo()->exec("SELECT 'stream $expected: $title'");
    $stream($session);
}
