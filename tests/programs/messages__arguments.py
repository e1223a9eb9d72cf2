"""Texts of errors about arguments of methods of builtin types."""
import array
import collections

CASES = [
    lambda: "a".partition(1),
    lambda: "a".rpartition(b"a"),
    lambda: b"a".find({}, ()),
    lambda: b"a".rindex(-2**70, b""),
    lambda: bytearray(b"a").count(1.5, "x"),
    lambda: b"a".hex(1),
    lambda: memoryview(b"a").hex([], 1),
    lambda: b"a".hex(b"ab"),
    lambda: b"%i" % "",
    lambda: b"%u" % "",
    lambda: b"%x" % "",
    lambda: "%i" % "",
    lambda: "%.*f" % (2**70, 1.0),
    lambda: "%*f" % (2**70, 1.0),
    lambda: array.array("i").frombytes(array.array("i")),
    lambda: array.array("b").frombytes(array.array("b", [1])),
    lambda: array.array("w", b"abcd")[0],
    lambda: array.array("w", b"abcd").tounicode(),
    lambda: repr(array.array("w", "\ud800")),
    lambda: BlockingIOError(1, "x", 2.5),
    lambda: BlockingIOError(1, "x", 25).characters_written,
    lambda: OSError(True, "x"),
    lambda: type("X", (object, collections.abc.Hashable, int), {}),
]
for case in CASES:
    try:
        print(repr(case()))
    except Exception as e:
        print(type(e).__name__, ascii(e))
