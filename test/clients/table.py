"""Results of the clients, against what is expected, and the table of both.

    table.py DIRECTORY README [update]

DIRECTORY has a file for each mode of modes.tsv that ran.  Prints a line for
each mode, "ok", "FAILED" or "SKIPPED", and ends with how many passed and
failed.  A cell of the table in README is
    +  it gives what is expected
    c  it needs a cast
    r  it needs a cast: without one the driver refuses the value, and sends nothing
    -  it cannot be had this way
What is there has to come again.  With "update" the table is written; what must
hold of any client must hold all the same.
"""
import decimal
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BEGIN, END = '<!-- made by make test-clients -->', '<!-- end -->'

# These need no cast, but where the driver refuses the value.
KEYS = ['text key', 'integer key', 'bigint key', 'uuid key', 'date key', 'text and date', 'text and current_date',
        'integer and text', '7 and text', 'text and integer', 'bigint and uuid', 'value, two columns']
# pgx sends a time.Time, where text is asked for, as Go prints it
EXCEPT = {(mode, key) for mode in ('pgx',) for key in ('date key', 'text and date', 'value, two columns')}

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
    def __init__(self, expected, cast, came):
        how, value, *rest = came + ['']
        self.why = ''
        self.write = ''
        if how == 'error' and expected == 'error ' + value or how == 'ok' and same(value, expected):
            self.mark = '+'
        elif how == 'cast' and same(value, expected):
            self.mark = 'r' if rest[0] == 'refused' else 'c'
            self.write = ', '.join('`%s`' % c for c in dict.fromkeys(re.findall(r'\$\d+::[\w\[\]]+', cast)))
            self.why = 'the driver refuses' if rest[0] == 'refused' else '`%s`' % rest[0]
        else:
            self.mark = '-'
            self.why = ('the driver refuses' if value == 'refused' else '`%s`' % value if how == 'error' else
                        'another result')
        self.told = '%s: %s' % (value, ' '.join(rest)) if self.mark != '+' else ''


def read(directory, mode, statements):
    """version, and a cell for each statement; or None"""
    path = os.path.join(directory, mode)
    if not os.path.exists(path):
        return None
    came = dict((f[0], f[1:]) for f in (line.rstrip('\n').split('\t') for line in open(path)))
    return came.get('version', ['?'])[0], {
        name: Cell(expected, cast, came.get(name, ['missing', '']))
        for name, expected, _, cast, *_ in statements}


def made(results, statements, old):
    """the tables, as text"""
    out = ['| | statement |', '|---|---|']
    out += ['| %d | %s: `%s` |' % (n + 1, s[0], s[2].replace('missing_symbol.', '').replace('|', '\\|')) for n, s in enumerate(statements)]
    out += ['', '| client | tested with | %s |' % ' | '.join(str(n + 1) for n in range(len(statements)))]
    out += ['|---|---|%s' % ('---|' * len(statements))]
    for mode, result in results:
        if result is None:
            out += [old[mode]] if mode in old else []
            continue
        version, cells = result
        out.append('| %s | %s | %s |' % (mode, version, ' | '.join(cells[s[0]].mark for s in statements)))
    groups = {}
    for mode, result in results:
        for n, s in enumerate(statements):
            cell = result and result[1][s[0]]
            if cell and cell.mark != '+':
                groups.setdefault((n, cell.mark, cell.write or INSTEAD.get(s[0], 'nothing'), cell.why), []).append(mode)
    out += ['', '| | statement | write | because | clients |', '|---|---|---|---|---|']
    out += ['| %d %s | %s | %s | %s | %s |' % (n + 1, mark, statements[n][0], write, why, ', '.join(modes))
            for (n, mark, write, why), modes in sorted(groups.items())]
    return out


def main(directory, readme, update=''):
    statements = list(lines('statements.tsv'))
    modes = [f[0] for f in lines('modes.tsv')]
    results = [(mode, read(directory, mode, statements)) for mode in modes]
    text = open(readme).read()
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    old = {row.split(' | ')[0][2:]: row for row in table.split('\n') if row.startswith('| ')}
    passed = failed = 0

    for mode, result in results:
        wrong = []
        if result is None:
            continue
        version, cells = result
        marks = old.get(mode, '').strip('| ').split(' | ')[2:]
        for n, s in enumerate(statements):
            cell = cells[s[0]]
            if s[0] in KEYS and cell.mark not in '+r' and (mode, s[0]) not in EXCEPT:
                wrong.append('%s: needs a cast, or fails: %s' % (s[0], cell.told))
            elif not update and cell.mark != (marks[n] if n < len(marks) else ''):
                wrong.append('%s: %s, not %s as in the table; %s' % (s[0], cell.mark, marks[n] if n < len(marks) else 'there', cell.told))
        passed += not wrong
        failed += bool(wrong)
        print('%s %s, %s' % ('FAILED  ' if wrong else 'ok      ', mode, version))
        for line in wrong:
            print('    ' + line)
    if update:
        open(readme, 'w').write(before + BEGIN + '\n\n' + '\n'.join(made(results, statements, old)) + '\n\n' + END + after)
    print(passed, failed)


main(*sys.argv[1:])
