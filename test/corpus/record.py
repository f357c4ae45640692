"""Records what a client sends, as text that Recorded.pm can send again.

    record.py SOCKET_DIRECTORY PORT FILE COMMAND ...

Runs COMMAND with PGHOST and PGPORT set to a socket of its own, and PGTCPPORT to
a port of this machine for clients that know no sockets, and passes on what
comes there to the server.  The client has one connection at a time.

FILE has a line for all that the client sends before it waits for an answer: the
types of its messages and their bodies, escaped, with \\! between two.  What
differs in nothing but its constants is there once: "T" is a template, whose
number and constants stand for it after that: in the place of \\?, or of \\* with
the length before it, as parameters have it.  A query SELECT 'stream ...' is not
kept, it begins a section: "== ...".
"""
import os
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import threading

# numbers, but of parameters, tables and most prepared statements
CONSTANT = re.compile(rb"'(?:[^']|'')*'|(?<![\w$])\d+\b|(?<=pdo_stmt_)[0-9a-f]+\b")
STREAM = re.compile(rb"\0?SELECT 'stream ([^']*)'\0")


def escape(body):
    return re.sub(rb'[^ -\[\]-~]', lambda m: b'\\x%02x' % m.group()[0], body)


def constants(kind, body):
    """each one's mark, its beginning and its end"""
    if kind != b'B':
        return [(b'\\?', *m.span()) for m in CONSTANT.finditer(body)]
    at = body.index(b'\0', body.index(b'\0') + 1) + 1
    found = [(b'\\?', *m.span()) for m in CONSTANT.finditer(body[:at])]
    formats, = struct.unpack_from('!H', body, at)
    at += 2 + 2 * formats
    n, = struct.unpack_from('!H', body, at)
    at += 2
    for _ in range(n):
        size, = struct.unpack_from('!i', body, at)
        at += 4
        if size >= 0:
            found.append((b'\\*', at, at + size))
            at += size
    return found


class Recording:
    def __init__(self, path):
        self.file = open(path, 'wb')
        self.templates = {}
        self.messages = []
        self.constants = []
        self.marks = False      # inside of such a query, until its Sync

    def add(self, kind, body):
        stream = STREAM.match(body)
        if kind in b'PQ' and stream:
            self.flush()
            self.file.write(b'== %s\n' % stream.group(1))
            self.marks = kind == b'P'
        if self.marks or stream:
            self.marks = self.marks and kind != b'S'
            return
        # an escaped text has no \?, \* and \!
        text, at = b'', 0
        for mark, begin, end in constants(kind, body):
            text += escape(body[at:begin - (4 if mark == b'\\*' else 0)]) + mark
            self.constants.append(escape(body[begin:end]))
            at = end
        self.messages.append(kind + b' ' + text + escape(body[at:]))
        if kind in b'QSH':
            self.flush()

    def flush(self):
        if not self.messages:
            return
        template = b'\\!'.join(self.messages)
        if template not in self.templates:
            self.templates[template] = len(self.templates)
            self.file.write(b'T%s\n' % template)
        self.file.write(b'\t'.join([b'%d' % self.templates[template]] + self.constants) + b'\n')
        self.messages, self.constants = [], []


def read_exactly(source, size):
    data = b''
    while len(data) < size:
        more = source.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def from_client(client, server, recording):
    try:
        while True:
            head = read_exactly(client, 4)
            size, = struct.unpack('!I', head)
            body = read_exactly(client, size - 4)
            if body[:4] == b'\x04\xd2\x16\x2f' or body[:4] == b'\x04\xd2\x16\x30':
                client.sendall(b'N')        # neither SSL nor GSSAPI
                continue
            server.sendall(head + body)
            break
        while True:
            kind = read_exactly(client, 1)
            head = read_exactly(client, 4)
            size, = struct.unpack('!I', head)
            body = read_exactly(client, size - 4)
            if kind not in b'Xp':
                recording.add(kind, body)
            server.sendall(kind + head + body)
    except (EOFError, OSError):
        server.close()


def from_server(client, server):
    try:
        while True:
            data = server.recv(65536)
            if not data:
                break
            client.sendall(data)
    except OSError:
        pass
    client.close()


def main(directory, port, path, *command):
    recording = Recording(path)
    own = tempfile.mkdtemp()
    local = socket.socket(socket.AF_UNIX)
    local.bind('%s/.s.PGSQL.%s' % (own, port))
    tcp = socket.create_server(('127.0.0.1', 0))
    local.listen()
    process = subprocess.Popen(command, env={
        **os.environ, 'PGHOST': own, 'PGPORT': port, 'PGTCPPORT': str(tcp.getsockname()[1])})
    while process.poll() is None:
        ready = select.select([local, tcp], [], [], 0.1)[0]
        if not ready:
            continue
        client, _ = ready[0].accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect('%s/.s.PGSQL.%s' % (directory, port))
        threading.Thread(target=from_client, args=(client, server, recording), daemon=True).start()
        threading.Thread(target=from_server, args=(client, server), daemon=True).start()
    recording.flush()
    recording.file.close()
    return process.returncode


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
