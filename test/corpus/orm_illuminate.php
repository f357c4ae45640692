<?php
/* Illuminate's Eloquent, for streams.php. */
require '/usr/share/php/Illuminate/Database/autoload.php';
require '/usr/share/php/Illuminate/Events/autoload.php';

use Illuminate\Database\Capsule\Manager;
use Illuminate\Database\Eloquent\Model;
use Illuminate\Database\Eloquent\Relations\Relation;

abstract class Base extends Model
{
    public $timestamps = false;
    protected $guarded = [];
}

for ($n = 0; $n < 12; $n++)
    eval("class Related$n extends Base { protected \$table = 'related_$n'; }");

class Author extends Base
{
    protected $table = 'author';
}

class Tag extends Base
{
    protected $table = 'tag';
}

class Job extends Base
{
    protected $table = 'job';
}

class Note extends Base
{
    protected $table = 'note';

    public function target()
    {
        return $this->morphTo();
    }
}

class Book extends Base
{
    protected $table = 'book';

    public function author()
    {
        return $this->belongsTo(Author::class);
    }

    public function tags()
    {
        return $this->hasMany(Tag::class);
    }

    public function related(int $n)
    {
        return $this->belongsTo("Related$n", "related_{$n}_id", 'id', "related_$n");
    }
}

class Session
{
    public function __construct()
    {
        $manager = new Manager();
        $manager->addConnection([
            'driver' => 'pgsql', 'host' => getenv('PGHOST'), 'port' => getenv('PGPORT'),
            'database' => getenv('PGDATABASE'), 'username' => getenv('PGUSER'), 'charset' => 'utf8',
        ]);
        $manager->setAsGlobal();
        $manager->bootEloquent();
    }

    public function pdo() { return Manager::connection()->getPdo(); }
    public function books(int $n) { return Book::orderBy('id')->limit($n)->get(); }
    public function related($book, int $n) { return $book->related($n)->first()->name; }
    public function tags($book) { return $book->tags->count(); }
    public function author($book) { return $book->author->name; }
    public function notes() { return Note::orderBy('id')->get(); }
    public function target($note) { return $note->target->name; }
    public function get(int $id) { return Author::find($id); }
    public function find(int $n, int $id) { return "Related$n"::findOrFail($id); }
    public function insert(int $id) { return Job::create(['id' => $id, 'done' => 0]); }
    public function create(int $n, int $id) { return "Related$n"::create(['id' => $id, 'name' => 'x']); }
    public function update(int $id) { return Book::where('id', $id)->update(['title' => 'x']); }
    public function touch(int $n, int $id) { return "Related$n"::where('id', $id)->update(['name' => 'y']); }
    public function begin() { Manager::beginTransaction(); }
    public function rollBack() { Manager::rollBack(); }
    public function iterate() { return Book::orderBy('id')->cursor(); }
    public function prefetched(int $n) { return Book::with('author', 'tags')->orderBy('id')->limit($n)->get(); }
    public function bulkUpdate() { return Book::where('author_id', 1)->update(['title' => 'z']); }

    public function joined(int $n)
    {
        return Book::join('author', 'author.id', '=', 'book.author_id')->leftJoin('tag', 'tag.book_id', '=', 'book.id')
            ->where('book.id', '<=', $n)->get(['book.*', 'author.name', 'tag.name as tag']);
    }

    public function bulkInsert(int $from, int $n)
    {
        return Job::insert(array_map(fn($i) => ['id' => $from + $i, 'done' => 0], range(0, $n - 1)));
    }

    public function page(int $last, int $n)
    {
        return Book::where('id', '>', $last)->orderBy('id')->limit($n)->pluck('id')->last();
    }

    public function purge(int $n)
    {
        return Job::whereIn('id', Job::where('id', '>=', 2000)->orderBy('id')->limit($n)->select('id'))->delete();
    }

    public function job()
    {
        Manager::connection()->transaction(function () {
            $job = Job::where('done', 0)->orderBy('id')->lock('for update skip locked')->first();
            $job->done = 1;
            $job->save();
        });
    }
}
