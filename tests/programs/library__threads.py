# Objects of native modules that several threads use at once: nothing is lost that has to arrive, and nothing breaks.
import binascii
import codecs
import csv
import hashlib
import json
import re
import struct
import threading
import zlib

THREADS = 4
ROUNDS = 200


def run(work):
    barrier = threading.Barrier(THREADS)
    failures = []

    def body(number):
        barrier.wait()
        try:
            work(number)
        except BaseException as e:
            failures.append(e)

    threads = [threading.Thread(target=body, args=(i,)) for i in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


digest = hashlib.sha256()
print(run(lambda i: [digest.update(b"x" * 3000) for _ in range(ROUNDS)]))
print(digest.hexdigest() == hashlib.sha256(b"x" * 3000 * ROUNDS * THREADS).hexdigest())

compressor = zlib.compressobj()
pieces = []


def squeeze(number):
    for _ in range(ROUNDS):
        compressor.compress(b"abc" * 100)


print(run(squeeze))

scanner = re.compile(r"\w+").scanner("word " * 5000)
found = []


def scan(number):
    while match := scanner.search():
        found.append(match.start())


print(run(scan), set(found) == set(range(0, 25000, 5)))


def register(number):
    for i in range(ROUNDS):
        name = f"test{number}.{i}"
        codecs.register_error(name, lambda e, name=name: (name, e.end))
        assert "é".encode("ascii", name) == name.encode()

        def search(encoding, wanted=f"codec_{number}_{i}"):
            if encoding == wanted:
                return codecs.CodecInfo(lambda s, e="strict": (wanted.encode(), len(s)), None, name=wanted)

        codecs.register(search)
        assert "x".encode(f"codec_{number}_{i}") == f"codec_{number}_{i}".encode()
        codecs.unregister(search)
        assert codecs.lookup("cp1252").name == "cp1252"


print(run(register))


def formats(number):
    for i in range(1, ROUNDS):
        packed = struct.pack(f"<{i}h", *range(i))
        assert struct.unpack(f"<{i}h", packed) == tuple(range(i))
        assert json.loads(json.dumps({"a": [i, None, 1.5]}, indent=1)) == {"a": [i, None, 1.5]}
        assert binascii.unhexlify(binascii.hexlify(packed)) == packed


print(run(formats))

lines = csv.reader(iter(["a,b"] * (ROUNDS * THREADS)))
rows = []


def read(number):
    for row in lines:
        rows.append(row)


# Without the GIL a shared list iterator may give an item twice.
print(run(read), all(row == ["a", "b"] for row in rows), lines.line_num >= ROUNDS * THREADS)
