"""Where the system has no memory for what a call makes: MemoryError, and the program goes on.

CPython does the same; its allocator gives back more of the ballast, so that some of the calls find room there.
"""

import array
import bz2
import codecs
import io
import lzma
import pickle
import resource
import sqlite3
import struct
import zlib
from xml.parsers import expat

SIZE = 128 << 20
for name in "shift_jis", "gb18030":
    codecs.lookup(name)
big = bytes(SIZE)
items = array.array("b", big)
buffer = bytearray(SIZE)
view = memoryview(buffer)
text = "\x01" * SIZE
blanks = b" " * SIZE
table = bytes(range(256))
packed = zlib.compress(big, 1), lzma.compress(big, preset=0), bz2.compress(bytes(SIZE // 8), 1) * 8
database = sqlite3.connect(":memory:")
blobs = sqlite3.connect(":memory:")
blobs.execute("create table t(b)")
blobs.execute("insert into t values (zeroblob(?))", (SIZE,))
blob = blobs.blobopen("t", "b", 1)


def incremental(decoder, data):
    return decoder.decompress(data)


def expand(text):
    parser = expat.ParserCreate()
    try:
        parser.Parse(b"<!--")
        parser.Parse(text)
    except expat.ExpatError as error:
        # CPython says so.
        if error.code == 1:
            raise MemoryError from None


def partly(data):
    """A decoder that keeps what it was given."""
    decoder = lzma.LZMADecompressor()
    decoder.decompress(packed[1], 0)
    decoder.decompress(data, 0)


CASES = {
    "array.tobytes": lambda: items.tobytes(),
    "array +": lambda: items + items,
    "array *": lambda: items * 2,
    "array.extend": lambda: items.extend(items),
    "array slice": lambda: items[1:],
    "array step": lambda: array.array("b", big[: SIZE // 2])[::-1] + items,
    "array.tolist": lambda: items.tolist(),
    "array copy": lambda: items.__copy__(),
    "array()": lambda: array.array("b", big),
    "array of text": lambda: array.array("w", text),
    "bytes slice": lambda: big[1:],
    "bytes step": lambda: big[::-1],
    "bytes.upper": lambda: big.upper(),
    "bytes.translate": lambda: big.translate(table),
    "bytes.partition": lambda: (b"ab" + big).partition(b"b"),
    "bytes of bytearray": lambda: bytes(buffer),
    "bytes of view": lambda: bytes(view),
    "bytearray": lambda: bytearray(big),
    "bytearray copy": lambda: buffer.copy(),
    "bytearray slice": lambda: buffer[1:],
    "pickle bytes": lambda: pickle.dumps(big),
    "pickle bytearray": lambda: pickle.dumps(buffer, 5),
    "pickle buffer": lambda: pickle.dumps(pickle.PickleBuffer(view), 5),
    "pickle list": lambda: pickle.dumps([big[:SIZE // 2], big]),
    "pickle text": lambda: pickle.dumps(text, 0),
    "unpickle": lambda: pickle.loads(b"\x80\x04\x8e" + SIZE.to_bytes(8, "little") + big + b"."),
    "zlib.compress": lambda: zlib.compress(big, 0),
    "zlib.decompress": lambda: zlib.decompress(packed[0]),
    "zlib.decompressobj": lambda: incremental(zlib.decompressobj(), packed[0]),
    "lzma.decompress": lambda: incremental(lzma.LZMADecompressor(), packed[1]),
    "lzma pending": lambda: partly(big),
    "bz2.decompress": lambda: bz2.decompress(packed[2]),
    "expat": lambda: expand(blanks),
    "shift_jis": lambda: (text + "\u3042").encode("shift_jis"),
    "gb18030": lambda: codecs.getincrementalencoder("gb18030")().encode(text),
    "struct": lambda: struct.pack(f"{SIZE}s", big),
    "unpack": lambda: struct.unpack(f"{SIZE}s", big),
    "unpack many": lambda: struct.unpack(f"{SIZE}B", big),
    "sqlite parameter": lambda: database.execute("select length(?)", (buffer,)),
    "sqlite blob": lambda: blob.read(),
    "sqlite slice": lambda: blob[::2],
    "sqlite column": lambda: blobs.execute("select b from t").fetchone(),
    "BytesIO": lambda: io.BytesIO(buffer).getvalue(),
}

with open("/proc/self/statm") as f:
    used = int(f.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + SIZE, resource.getrlimit(resource.RLIMIT_AS)[1]))
# What the allocator has in reserve goes away.
ballast = []
for size in SIZE, SIZE >> 1, SIZE >> 2, SIZE >> 3:
    try:
        while True:
            ballast.append(bytes(size))
    except MemoryError:
        pass
# What remains is for the interpreter itself.
del ballast[-3:]
for name, case in CASES.items():
    try:
        case()
        print(name, "done")
    except MemoryError:
        print(name, "MemoryError")
resource.setrlimit(resource.RLIMIT_AS, (resource.getrlimit(resource.RLIMIT_AS)[1],) * 2)
del ballast
print(len(items.tobytes()) == SIZE, bytes(buffer) == big)
