<?php
/* Runs statements.tsv through a client for PHP: client.php MODE.  See client.py. */

$dsn = sprintf('pgsql:host=%s;port=%s;dbname=%s', getenv('PGHOST'), getenv('PGPORT'), getenv('PGDATABASE'));

function parameter(string $text)
{
    [$kind, $value] = explode(':', $text, 2);
    if ($value === '\N')
        return null;
    return match ($kind) {
        'int', 'bigint' => (int) $value,
        'texts' => '{' . strtr($value, '|', ',') . '}',     // no client has arrays
        default => $value,
    };
}

/* the parameters in the order of their places, which are ? then */
function placed(string $sql, array $values): array
{
    $order = [];
    $sql = preg_replace_callback('/\$(\d+)/', function ($m) use (&$order, $values) {
        $order[] = $values[$m[1] - 1];
        return '?';
    }, $sql);
    return [$sql, $order];
}

function with_pdo(string $dsn, bool $emulate): array
{
    $pdo = new PDO($dsn, getenv('PGUSER'), '', [PDO::ATTR_EMULATE_PREPARES => $emulate]);
    return ['PDO, PHP ' . PHP_VERSION, function ($sql, $values) use ($pdo) {
        [$sql, $values] = placed($sql, $values);
        $statement = $pdo->prepare($sql);
        foreach ($values as $n => $value)
            $statement->bindValue($n + 1, $value, is_int($value) ? PDO::PARAM_INT : ($value === null ? PDO::PARAM_NULL : PDO::PARAM_STR));
        $statement->execute();
        return $statement->columnCount() > 0 ? $statement->fetchColumn() : null;
    }];
}

function with_pgsql(): array
{
    $c = pg_connect(sprintf("host=%s port=%s dbname=%s user='%s'", getenv('PGHOST'), getenv('PGPORT'), getenv('PGDATABASE'), getenv('PGUSER')));
    return ['pgsql, PHP ' . PHP_VERSION, function ($sql, $values) use ($c) {
        preg_match_all('/\$(\d+)/', $sql, $found);
        pg_send_query_params($c, $sql, array_slice($values, 0, (int) max(['0', ...$found[1]])));
        $result = pg_get_result($c);
        if ($state = pg_result_error_field($result, PGSQL_DIAG_SQLSTATE))
            throw new PDOException("SQLSTATE[$state]: " . pg_result_error($result));
        return pg_num_fields($result) > 0 ? pg_fetch_result($result, 0, 0) : null;
    }];
}

function with_illuminate(): array
{
    require '/usr/share/php/Illuminate/Database/autoload.php';
    require '/usr/share/php/Illuminate/Events/autoload.php';
    $manager = new Illuminate\Database\Capsule\Manager();
    $manager->addConnection(['driver' => 'pgsql', 'host' => getenv('PGHOST'), 'port' => getenv('PGPORT'),
        'database' => getenv('PGDATABASE'), 'username' => getenv('PGUSER'), 'charset' => 'utf8']);
    $db = $manager->getConnection();
    return ['Illuminate ' . package_version('php-illuminate-database'), function ($sql, $values) use ($db) {
        [$sql, $values] = placed($sql, $values);
        if (!str_starts_with($sql, 'SELECT')) {
            $db->statement($sql);
            return null;
        }
        $row = (array) $db->selectOne($sql, $values);
        return reset($row);
    }];
}

function with_dbal(): array
{
    require '/usr/share/php/Doctrine/DBAL/autoload.php';
    $db = Doctrine\DBAL\DriverManager::getConnection(['driver' => 'pdo_pgsql', 'host' => getenv('PGHOST'),
        'port' => getenv('PGPORT'), 'dbname' => getenv('PGDATABASE'), 'user' => getenv('PGUSER')]);
    return ['Doctrine DBAL ' . package_version('php-doctrine-dbal'), function ($sql, $values) use ($db) {
        [$sql, $values] = placed($sql, $values);
        if (str_starts_with($sql, 'SELECT'))
            return $db->fetchOne($sql, $values);
        $db->executeStatement($sql);
        return null;
    }];
}

/* as Debian has it */
function package_version(string $package): string
{
    return preg_replace('/^\d+:|[-+].*/', '', trim(shell_exec("dpkg-query -W -f '\${Version}' $package")));
}

[$version, $run] = match ($argv[1]) {
    'pdo' => with_pdo($dsn, false),
    'pdo-emulated' => with_pdo($dsn, true),
    'pgsql' => with_pgsql(),
    'illuminate' => with_illuminate(),
    'dbal' => with_dbal(),
};

function sqlstate(?Throwable $e): string
{
    for (; $e; $e = $e->getPrevious())
        if ($e instanceof PDOException && preg_match('/SQLSTATE\[(\w{5})\]/', $e->getMessage(), $m))
            return $m[1];
    return 'refused';
}

$all = function (string $sql, array $values) use ($run) {
    foreach (explode('; ', $sql) as $statement)
        $value = $run($statement, $values);
    return is_bool($value) ? ($value ? 'true' : 'false') : (string) $value;
};
$line = fn(...$fields) => print(implode("\t", $fields) . "\n");

$line('version', $version);
foreach (file(__DIR__ . '/statements.tsv', FILE_IGNORE_NEW_LINES) as $text) {
    if ($text[0] === '#')
        continue;
    [$name, $expected, $sql, $cast] = explode("\t", $text);
    $values = array_map('parameter', array_slice(explode("\t", $text), 4));
    try {
        $line($name, 'ok', $all($sql, $values));
        continue;
    } catch (Throwable $e) {
        $state = sqlstate($e);
        $message = strtok($e->getMessage(), "\n");
    }
    if ($cast !== '' && !str_starts_with($expected, "error $state")) {
        try {
            $line($name, 'cast', $all($cast, $values), $state, $message);
            continue;
        } catch (Throwable $e) {
            $message .= ' / ' . strtok($e->getMessage(), "\n");
        }
    }
    $line($name, 'error', $state, $message);
}
