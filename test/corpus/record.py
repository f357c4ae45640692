"""Records what a client sends, as text that replay.pm can send again.

    record.py SOCKET_DIRECTORY PORT FILE COMMAND ...

Runs COMMAND with PGHOST and PGPORT set to a socket of its own, and passes on
what comes there to the server.  Of each of the client's messages but the first
and the last FILE has a line: its type and its body, escaped.  Texts that differ
in nothing but their constants are there once: "T" is a template, whose number
and constants stand for it after that.  A query SELECT 'stream ...' is not kept,
it begins a section: "== ...".
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

CONSTANT = re.compile(rb"'(?:[^']|'')*'|\b\d+\b")
STREAM = re.compile(rb"SELECT 'stream ([^']*)'\0")


def escape(body):
    return re.sub(rb'[^ -\[\]-~]', lambda m: b'\\x%02x' % m.group()[0], body)


class Recording:
    def __init__(self, path):
        self.file = open(path, 'wb')
        self.templates = {}

    def add(self, kind, body):
        stream = STREAM.match(body)
        if kind == b'Q' and stream:
            self.file.write(b'== %s\n' % stream.group(1))
            return
        # an escaped text has no \?
        template = kind + b'\\?'.join(escape(part) for part in CONSTANT.split(body))
        if template not in self.templates:
            self.templates[template] = len(self.templates)
            self.file.write(b'T%s %s\n' % (kind, template[1:]))
        self.file.write(b'\t'.join(
            [b'%d' % self.templates[template]] +
            [escape(c) for c in CONSTANT.findall(body)]) + b'\n')


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
            if kind == b'Q' and STREAM.match(body):
                recording.add(kind, body)
            elif kind not in b'Xp':
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


def main(directory, port, path, *command):
    recording = Recording(path)
    own = tempfile.mkdtemp()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind('%s/.s.PGSQL.%s' % (own, port))
    listener.listen()
    process = subprocess.Popen(command, env={**os.environ, 'PGHOST': own, 'PGPORT': port})
    while process.poll() is None:
        if not select.select([listener], [], [], 0.1)[0]:
            continue
        client, _ = listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect('%s/.s.PGSQL.%s' % (directory, port))
        threading.Thread(target=from_client, args=(client, server, recording), daemon=True).start()
        threading.Thread(target=from_server, args=(client, server), daemon=True).start()
    recording.file.close()
    return process.returncode


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
