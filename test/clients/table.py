"""Results of the clients, against what is expected, and the table of both.

    table.py DIRECTORY README RELEASE [update]

DIRECTORY has a file for each mode of modes.tsv that ran, on a release of the
distribution.  Prints a line for each mode, "ok", "FAILED" or "SKIPPED", and ends
with how many passed and failed.  A cell of the table in README is
    +  it gives what is expected
    c  it needs a cast
    r  it needs a cast: without one the driver refuses the value, and sends nothing
    -  it cannot be had this way
What is there has to come again.  With "update" what ran is written into the
table, and stays for other releases; what must hold of any client must hold all
the same.
"""
import decimal
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BEGIN, END = '<!-- made by make test-clients -->', '<!-- end -->'
CASTS = re.compile(r'(?:\$\d+)?(?:::[\w\[\]]+)+')
RELEASES = ['bookworm', 'trixie', 'forky']

# These need no cast, but where the driver refuses the value.
KEYS = ['text key', 'integer key', 'bigint key', 'uuid key', 'date key', 'text and date', 'text and current_date',
        'integer and text', '7 and text', 'text and integer', 'bigint and uuid', 'value, two columns']
# Without a codec, pgx sends a time.Time, where text is asked for, as Go prints it.
EXCEPT = {(mode, key) for mode in ('pgx-plain', 'pgx4-plain') for key in ('date key', 'text and date', 'value, two columns')}

INSTEAD = {'increment_many, array': "the array's text, as 20", 'profile_summary': 'all in one transaction',
           'assert_max_queries': 'all in one transaction'}


def lines(name):
    for line in open(os.path.join(HERE, name)):
        if not line.startswith('#'):
            yield line.rstrip('\n').split('\t')


def same(value, expected):
    try:
        return decimal.Decimal(value) == decimal.Decimal(expected)
    except decimal.InvalidOperation:
        return value == expected


class Cell:
    def __init__(self, name, expected, sql, cast, came):
        how, value, *rest = came + ['']
        self.why = self.write = ''
        if how == 'error' and expected == 'error ' + value or how == 'ok' and same(value, expected):
            self.mark = '+'
        elif how == 'cast' and same(value, expected):
            self.mark = 'r' if rest[0] == 'refused' else 'c'
            self.write = ', '.join('`%s`' % c for c in dict.fromkeys(CASTS.findall(cast)) if c not in CASTS.findall(sql))
            self.why = 'the driver refuses' if rest[0] == 'refused' else '`%s`' % rest[0]
        else:
            self.mark = '-'
            self.write = INSTEAD.get(name, 'nothing')
            self.why = ('the driver refuses' if value == 'refused' else '`%s`' % value if how == 'error' else
                        'another result')
        self.told = '%s: %s' % (value, ' '.join(rest)) if self.mark != '+' else ''


def read(directory, mode, statements):
    """version, and a cell for each statement; or None"""
    path = os.path.join(directory, mode)
    if not os.path.exists(path):
        return None
    came = dict((f[0], f[1:]) for f in (line.rstrip('\n').split('\t') for line in open(path)))
    return came.get('version', ['?'])[0], [
        Cell(name, expected, sql, cast, came.get(name, ['missing', '']))
        for name, expected, sql, cast, *_ in statements]


class Table:
    """marks, and what is not +, of each (mode, release)"""

    def __init__(self, text):
        self.marks, self.version, self.groups = {}, {}, {}
        last = []
        for row in text.split('\n'):
            fields = row.strip('| ').split(' | ')
            if re.match(r'\d+$', fields[0]) or len(fields) < 5 or fields[0] in ('client', 'statement'):
                continue
            if re.match(r'\d+ [cr-]$', fields[0]):
                last.append(fields)
                continue
            versions = fields[2].split('; ')
            for release, version in zip(fields[1].split(', '), versions):
                self.marks[fields[0], release] = fields[3:]
                # the name is written once
                self.version[fields[0], release] = (
                    versions[0].split()[0] + ' ' if version[0].isdigit() else '') + version
        for number, _, write, why, of in last:
            n, mark = number.split(' ')
            for mode, some in re.findall(r'([^\s,(]+)(?: \(([^)]*)\))?', of):
                for release in some.split(', ') if some else self.releases(mode):
                    self.groups.setdefault((int(n), mark, write, why), set()).add((mode, release))

    def releases(self, mode):
        return [r for r in RELEASES if (mode, r) in self.marks]

    def versions(self, mode, releases):
        all_of = [self.version[mode, release] for release in releases]
        name = all_of[0].split()[0] + ' '
        return '; '.join(all_of[:1] + [re.sub('^' + re.escape(name) + r'(?=\d)', '', v) for v in all_of[1:]])

    def take(self, mode, release, version, cells):
        self.marks[mode, release] = [cell.mark for cell in cells]
        self.version[mode, release] = version
        for of in self.groups.values():
            of.discard((mode, release))
        for n, cell in enumerate(cells, 1):
            if cell.mark != '+':
                self.groups.setdefault((n, cell.mark, cell.write, cell.why), set()).add((mode, release))

    def text(self, modes, statements):
        out = ['| | statement |', '|---|---|']
        out += ['| %d | %s: `%s` |' % (n, s[0], s[2].replace('missing_symbol.', '').replace('|', '\\|'))
                for n, s in enumerate(statements, 1)]
        out += ['', '| client | Debian | tested with | %s |' % ' | '.join(str(n + 1) for n in range(len(statements)))]
        out += ['|---|---|---|%s' % ('---|' * len(statements))]
        for mode in modes:
            alike = {}
            for release in self.releases(mode):
                alike.setdefault(tuple(self.marks[mode, release]), []).append(release)
            out += ['| %s | %s | %s | %s |' % (mode, ', '.join(some), self.versions(mode, some), ' | '.join(marks))
                    for marks, some in alike.items()]
        out += ['', '| | statement | write | because | clients |', '|---|---|---|---|---|']
        for (n, mark, write, why), of in sorted(self.groups.items()):
            rows = [[]]
            for mode in modes:
                some = [r for r in self.releases(mode) if (mode, r) in of]
                client = mode if some == self.releases(mode) else '%s (%s)' % (mode, ', '.join(some))
                # as wide as a document's table may be
                if some and len(', '.join(rows[-1] + [client])) > 180:
                    rows.append([])
                rows[-1] += [client] if some else []
            out += ['| %d %s | %s | %s | %s | %s |' % (n, mark, statements[n - 1][0], write, why, ', '.join(row))
                    for row in rows if row]
        return '\n'.join(out)


def main(directory, readme, release, update=''):
    statements = list(lines('statements.tsv'))
    modes = [f[0] for f in lines('modes.tsv')]
    with open(readme) as file:
        before, rest = file.read().split(BEGIN)
    text, after = rest.split(END)
    table = Table(text)
    passed = failed = 0

    for mode in modes:
        result = read(directory, mode, statements)
        if result is None:
            continue
        version, cells = result
        # of a release that the table does not have, as of the last
        last = ([release] if (mode, release) in table.marks else table.releases(mode))[-1:]
        marks = table.marks[mode, last[0]] if last else []
        wrong = []
        for n, (name, *_) in enumerate(statements):
            mark = cells[n].mark
            if name in KEYS and mark not in '+r' and (mode, name) not in EXCEPT:
                wrong.append('%s: needs a cast, or fails: %s' % (name, cells[n].told))
            elif not update and mark != (marks[n] if n < len(marks) else ''):
                wrong.append('%s: %s, not %s as in the table; %s'
                             % (name, mark, marks[n] if n < len(marks) else 'there', cells[n].told))
        table.take(mode, release, version, cells)
        passed += not wrong
        failed += bool(wrong)
        print('%s %s, %s' % ('FAILED  ' if wrong else 'ok      ', mode, version))
        for line in wrong:
            print('    ' + line)
    if update:
        with open(readme, 'w') as file:
            file.write('%s%s\n\n%s\n\n%s%s' % (before, BEGIN, table.text(modes, statements), END, after))
    print(passed, failed)


if __name__ == '__main__':
    main(*sys.argv[1:])
