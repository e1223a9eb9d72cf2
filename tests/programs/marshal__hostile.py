"""Marshalled data that is nested too deeply, cut off, or read by a file that lies."""
import io
import marshal
import sys

for start in (b")\x01", b"(\x01\x00\x00\x00", b"[\x01\x00\x00\x00", b"{N", b">\x01\x00\x00\x00"):
    try:
        marshal.loads(start * 2**20 + b"N")
    except Exception as e:
        print(type(e).__name__, e)
    value = marshal.loads(start * 1500 + b"N" + (b"0" * 1500 if start == b"{N" else b""))
    print(type(value).__name__)
head = last = []
for i in range(1998):
    last.append([0])
    last = last[-1]
print(len(marshal.loads(marshal.dumps(head))))
last.append([0])
try:
    marshal.dumps(head)
except Exception as e:
    print(type(e).__name__, e)


class Liar(io.BytesIO):
    def readinto(self, buf):
        n = super().readinto(buf)
        return n + 10**6 if n > 4 else n


class Short(io.BytesIO):
    def readinto(self, buf):
        return max(0, super().readinto(buf) - 1)


for kind in (Liar, Short, io.BytesIO, io.StringIO):
    for value in (1.0, b"0123456789", [1, "abc"]):
        data = marshal.dumps(value)
        try:
            print(marshal.load(kind(data if kind is not io.StringIO else "x")))
        except Exception as e:
            print(kind.__name__, type(e).__name__, e)
data = marshal.dumps(("hello", 2**70, None, {1: 2}))
for i in range(0, len(data), 3):
    try:
        marshal.loads(data[:i])
    except Exception as e:
        print(i, type(e).__name__, e)
words = ["a", "b", "c", "dd", "x", "y"]
print(marshal.dumps(set(words)) == marshal.dumps(set(reversed(words))), marshal.dumps({3, 1, 2}, 2), marshal.dumps(frozenset([(1, "a"), (1, "b")]), 2))
nested = frozenset()
for i in range(60):
    nested = frozenset([i, nested])
if sys.implementation.name != "cpython":
    # CPython takes a time that doubles with each level.
    assert marshal.loads(marshal.dumps(nested)) == nested
