<?php
/* Doctrine DBAL, for streams.php: relations are looked up by hand. */
require '/usr/share/php/Doctrine/DBAL/autoload.php';

use Doctrine\DBAL\ArrayParameterType;
use Doctrine\DBAL\Connection;
use Doctrine\DBAL\DriverManager;

class Session
{
    private Connection $db;

    public function __construct()
    {
        $this->db = DriverManager::getConnection([
            'driver' => 'pdo_pgsql', 'host' => getenv('PGHOST'), 'port' => getenv('PGPORT'),
            'dbname' => getenv('PGDATABASE'), 'user' => getenv('PGUSER'),
        ]);
    }

    private function one(string $sql, int ...$values) { return $this->db->fetchAssociative($sql, $values); }

    public function pdo() { return $this->db->getNativeConnection(); }
    public function related($book, int $n) { return $this->one("SELECT * FROM related_$n WHERE id = ?", $book["related_{$n}_id"]); }
    public function tags($book) { return $this->db->fetchAllAssociative('SELECT * FROM tag WHERE book_id = ?', [$book['id']]); }
    public function author($book) { return $this->one('SELECT name FROM author WHERE id = ?', $book['author_id']); }
    public function notes() { return $this->db->fetchAllAssociative('SELECT * FROM note ORDER BY id'); }
    public function target($note) { return $this->one('SELECT * FROM related_' . substr($note['target_type'], -1) . ' WHERE id = ?', $note['target_id']); }
    public function get(int $id) { return $this->one('SELECT * FROM author WHERE id = ?', $id); }
    public function find(int $n, int $id) { return $this->one("SELECT id FROM related_$n WHERE id = ?", $id); }
    public function insert(int $id) { return $this->db->insert('job', ['id' => $id, 'done' => 0]); }
    public function create(int $n, int $id) { return $this->db->insert("related_$n", ['id' => $id, 'name' => 'x']); }
    public function update(int $id) { return $this->db->update('book', ['title' => 'x'], ['id' => $id]); }
    public function touch(int $n, int $id) { return $this->db->update("related_$n", ['name' => 'y'], ['id' => $id]); }
    public function begin() { $this->db->beginTransaction(); }
    public function rollBack() { $this->db->rollBack(); }
    public function iterate() { return $this->db->iterateAssociative('SELECT * FROM book ORDER BY id'); }
    public function bulkUpdate() { return $this->db->update('book', ['title' => 'z'], ['author_id' => 1]); }

    public function books(int $n)
    {
        return $this->db->createQueryBuilder()->select('*')->from('book')->orderBy('id')->setMaxResults($n)
            ->executeQuery()->fetchAllAssociative();
    }

    public function joined(int $n)
    {
        return $this->db->fetchAllAssociative('SELECT b.*, a.name, t.name AS tag FROM book b JOIN author a ON a.id = b.author_id
            LEFT JOIN tag t ON t.book_id = b.id WHERE b.id <= ?', [$n]);
    }

    public function prefetched(int $n)
    {
        $books = $this->books($n);
        foreach (['author' => ['id', 'author_id'], 'tag' => ['book_id', 'id']] as $table => [$key, $of])
            $this->db->fetchAllAssociative("SELECT * FROM $table WHERE $key IN (?)",
                [array_unique(array_column($books, $of))], [ArrayParameterType::INTEGER]);
    }

    public function bulkInsert(int $from, int $n)
    {
        foreach (array_chunk(range($from, $from + $n - 1), 20) as $ids)
            $this->db->executeStatement('INSERT INTO job (id, done) VALUES ' . implode(', ', array_fill(0, count($ids), '(?, 0)')), $ids);
    }

    public function page(int $last, int $n)
    {
        $ids = $this->db->fetchFirstColumn("SELECT id FROM book WHERE id > ? ORDER BY id LIMIT $n", [$last]);
        return end($ids);
    }

    public function purge(int $n)
    {
        $this->db->executeStatement("DELETE FROM job WHERE id IN (SELECT id FROM job WHERE id >= 2000 ORDER BY id LIMIT $n)");
    }

    public function job()
    {
        $this->db->transactional(function ($db) {
            $id = $db->fetchOne('SELECT id FROM job WHERE done = 0 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED');
            $db->update('job', ['done' => 1], ['id' => $id]);
        });
    }
}
