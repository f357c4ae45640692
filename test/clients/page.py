"""A page of doc/clients, word for word.

    page.py PAGE needs              is there what it needs?
    page.py PAGE run DIRECTORY      runs it, in an empty directory
    page.py PAGE newcomer DIRECTORY the same, with what is to be done at first, the
                                    seconds that each step has taken, and when the
                                    first result of each section was there
    page.py PAGE topics             which of what a page must have it has not
    page.py PAGE tested RELEASE VERSIONS    writes what its first line says

<!-- needs Name=package ... --> says what it is about, and Debian's package of
it, or several, NEW|OLD, of which the first that is there is taken; npm:NAME is
one of package.json.  A block after <!-- with PACKAGE --> or <!-- without PACKAGE -->
is for some releases only, one after <!-- at first --> for newcomers, an sh block
after <!-- at last --> runs when the program has.  In the page's order:

- a block whose first line is a comment with a file's name is that file, or more
  of it;
- sh blocks run in the directory, and must succeed; sql blocks run in psql:
  a line "SELECT ...;    -- 3" must give 3;
- what is left, in the language that the page has most of, is one program, which
  runs at the end.

Each line of it that prints and ends with a comment, "print(x)    # 3", says what
is printed; nothing else is.
"""
import os
import re
import subprocess
import sys
import textwrap
import time

from table import RELEASES

FILE = re.compile(r'(?:<\?php )?(?:#|//|--|/\*) ((?:[\w.-]+/)*[\w.-]+\.\w+)(, at the end)?(?: \*/)?$')
PRINTS = re.compile(r'\b(?:print|console\.log|puts|echo|System\.out\.println|fmt\.Println|println)\b')
PRINTED = re.compile(r'\s(?:#|//) (.+)$')
DJANGO = '''import os, django
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')
django.setup()
'''
PROGRAMS = {
    'python': ('page.py', '/usr/bin/python3 page.py'),
    'js': ('page.mjs', 'node page.mjs'),
    'ruby': ('page.rb', 'ruby page.rb'),
    'php': ('page.php', 'php -d error_reporting=-1 -d display_errors=stderr page.php'),
    'java': ('Page.java', 'java -cp /usr/share/java/postgresql.jar Page.java'),
    'go': ('page.go', 'go run .'),
    'rust': ('src/main.rs', 'cargo run -q'),
}


# what each page has, and what of it is tested: blocks, and the text around them
TOPICS = {
    'tested with': r'\ATested with Debian ',
    'migration, with the extension there or not': r'CREATE EXTENSION IF NOT EXISTS missing_symbol',
    'test databases': r'template1',
    'no CASCADE on the way down': r'CASCADE',
    'a count and times': r'last_seen|timestamps',
    'type counter': r'type counter|type `counter`',
    'replicas, routers': r'replica|read-write|ReadWrite',
    'caches': r'cache',
    'committed at once, or not': r'committed at once|is committed',
    'savepoints': r'[Ss]avepoint|SAVEPOINT',
    'SQLSTATE': r'SQLSTATE[\s\S]*22004',
    'value': r'missing_symbol\.value\(',
    'bigint in the language': r'[Bb]igint (?:is|comes)',
    'batch': r'increment_many\([\s\S]*increment_rows\(',
    'sent again': r'increment_once\(',
    'rate limit': r'allow_rate\(',
    'profile of a request': r'profile_mark\([\s\S]*profile_summary\(',
    'report page, in development only': r"\A(?=[\s\S]*(?:[Ii]n development|DEBUG))[\s\S]*profile_report\('html'\)",
    'budgets in tests': r'(?:check_queries|assert_max_queries)\(',
}


def topics(text):
    return [topic for topic, pattern in TOPICS.items() if not re.search(pattern, text)]


def needs(text):
    """name, and the package that is there"""
    for n in re.search(r'<!-- needs (.*?) -->', text).group(1).split():
        name, packages = n.split('=') if '=' in n else (n[4:], n)
        there = [package for package in packages.split('|') if is_there(package)]
        if not there:
            sys.exit('there is no package ' + packages.replace('|', ' or '))
        yield name.replace('_', ' '), there[0]


def version(package):
    if package.startswith('npm:'):
        path = os.path.join(os.environ['NODE_PATH'], package[4:], 'package.json')
        with open(path) as file:
            return re.search(r'"version": "([^"]+)"', file.read()).group(1)
    text = subprocess.run(['dpkg-query', '-W', '-f', '${db:Status-Status} ${Version}', package],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    if not text.startswith('installed '):
        raise FileNotFoundError(package)
    return re.sub(r'^\d+:|[-+~].*', '', text[10:])


def is_there(package):
    try:
        return version(package) is not None
    except FileNotFoundError:
        return False


def blocks(text):
    """language, first line's number, lines"""
    fence = None
    skipped = last = False
    for number, line in enumerate(text.split('\n'), 1):
        only = re.match(r'<!-- (with|without) (\S+) -->$', line)
        if only:
            skipped = is_there(only.group(2)) != (only.group(1) == 'with')
        elif line == '<!-- at first -->':
            skipped = not run.newcomer
        elif line == '<!-- at last -->':
            last = True
        elif fence is None and line.startswith('```'):
            fence = ('at last' if last else line[3:], number, [])
        elif fence is not None and line == '```':
            if not skipped:
                yield fence
            fence, skipped, last = None, False, False
        elif fence is not None:
            fence[2].append(line)


def run(what, command, data=None):
    began = time.monotonic()
    result = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.newcomer:
        print('%6.1f s  %s' % (time.monotonic() - began, what), flush=True)
    if result.returncode != 0 or not run.newcomer and re.search(r'WARNING:|ERROR:|Deprecat', result.stderr):
        sys.exit('%s failed\n%s' % (what, '\n'.join((result.stdout + result.stderr).split('\n')[-30:])))
    return result.stdout


def run_timed(command, sections):
    """the program of a newcomer: its output, and when the first result of each section was there"""
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ, PYTHONUNBUFFERED='1'))
    out, seen = [], set()
    for line in program.stdout:
        section = sections[len(out)] if len(out) < len(sections) else None
        if section not in seen:
            seen.add(section)
            print('%6.1f s after the start of the page: the first result of "%s"'
                  % (time.monotonic() - run.began, section), flush=True)
        out.append(line.rstrip('\n'))
    if program.wait() != 0:
        sys.exit('the program failed')
    return out


run.newcomer = False
run.began = time.monotonic()


def run_sql(what, lines):
    sql, expected = [], []
    for line in lines:
        result = re.match(r'SELECT .*;\s+-- (.+)$', line)
        if result:
            expected.append(result.group(1))
            sql.append(r'\echo then')
        sql.append(line)
    out = run(what, ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', '-'], '\n'.join(sql))
    check(what, re.findall(r'^then\n(.*)$', out, re.M), expected)


def check(what, found, expected):
    for n, line in enumerate(expected):
        if n >= len(found) or found[n] != line:
            sys.exit('%s: printed %r, and not what the page says: %r\n(all: %r)'
                     % (what, found[n] if n < len(found) else None, line, found))
    if len(found) > len(expected):
        sys.exit('%s: printed more: %r' % (what, found[len(expected):]))


def printed(program):
    """which of its lines say what is printed, and what; a statement may have several lines"""
    prints = False
    for n, line in enumerate(program):
        prints = line != '' and (prints or PRINTS.search(line) is not None)
        result = PRINTED.search(line)
        if prints and result:
            yield n, result.group(1)
            prints = False


def section(text, number):
    """the heading above a line"""
    return ([''] + [line[3:] for line in text.split('\n')[:number] if line.startswith('## ')])[-1]


def run_page(text, directory):
    os.chdir(directory)
    if os.environ.get('NODE_PATH') and not run.newcomer and not os.path.exists('node_modules'):
        os.symlink(os.environ['NODE_PATH'], 'node_modules')
    all_blocks = list(blocks(text))
    of_programs = [b[0] for b in all_blocks if b[0] in PROGRAMS]
    language = max(set(of_programs), key=of_programs.count) if of_programs else None
    program, of, count, results = [], [], 0, 0
    for kind, number, lines in all_blocks:
        what = 'line %d, %s' % (number, kind)
        name = FILE.match(lines[0])
        count += 1
        if name:
            path = name.group(1)
            if os.path.dirname(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
            mode = 'a' if name.group(2) or path in run_page.files else 'w'
            run_page.files.add(path)
            with open(path, mode) as file:
                if lines[0].startswith('<?php'):
                    file.write('<?php\n')
                file.write('\n'.join(lines[1:]) + '\n')
        elif kind == 'sh':
            run(what, ['bash', '-eu', '-c', '\n'.join(lines)])
        elif kind == 'sql':
            run_sql(what, lines)
        elif kind == language:
            program += lines
            of += [section(text, number)] * len(lines)
    if program:
        file_name, command = PROGRAMS[language]
        with open(file_name, 'w') as file:
            file.write(DJANGO if os.path.exists('manage.py') else '')
            file.write('$stdout.sync = true\n' if language == 'ruby' else '')
            file.write('\n'.join(program) + '\n')
        expected = [result for _, result in printed(program)]
        results = len(expected)
        if run.newcomer:
            found = run_timed(command.split(), [of[n] for n, _ in printed(program)])
        else:
            found = run('the program', command.split()).splitlines()
        check('the program', found, expected)
    for kind, number, lines in all_blocks:
        if kind == 'at last':
            run('line %d, sh' % number, ['bash', '-eu', '-c', '\n'.join(lines)])
    if run.newcomer:
        return
    print('tested with ' + ', '.join('%s %s' % (name, version(package)) for name, package in needs(text)))
    print('%d blocks, %d results' % (count, results))


run_page.files = set()


def tested(text, release, versions):
    """the page, with what is tested on a release in its first paragraph"""
    first, rest = text.split('\n\n', 1)
    all_of = dict(re.findall(r'Debian (\w+): (.+?)[;.](?= |$)', first.replace('\n', ' ')))
    all_of[release] = versions
    first = 'Tested with Debian %s.' % '; Debian '.join(
        '%s: %s' % (each, all_of[each]) for each in sorted(all_of, key=RELEASES.index))
    return '\n'.join(textwrap.wrap(first, 118, break_on_hyphens=False)) + '\n\n' + rest


def main(page, what, argument='', versions=''):
    with open(page) as file:
        text = file.read()
    if what == 'needs':
        list(needs(text))
    elif what == 'topics':
        missing = topics(text)
        if missing:
            sys.exit('it has nothing about: ' + ', '.join(missing))
    elif what in ('run', 'newcomer'):
        run.newcomer = what == 'newcomer'
        run_page(text.split('\n## In each library')[0] if run.newcomer else text, argument)
    elif what == 'tested':
        with open(page, 'w') as file:
            file.write(tested(text, argument, versions))


main(*sys.argv[1:])
