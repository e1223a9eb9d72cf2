# marshal: values, references, versions, hostile input.
import io
import marshal
import sys

values = [
    None, True, False, ..., StopIteration, 0, -1, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**62, 2**63, -(2**64) + 1, 3**200,
    0.0, -0.0, 1.5, float("inf"), 1e-300, 1j, -2.5 + 1j, "", "abc", "x" * 300, "é", "中文", "😀", "\ud800", "interned_name",
    b"", b"bytes", (), (1, 2), tuple(range(300)), [], [1, [2, [3]]], {}, {"a": 1, 2: (3,)}, set(), {1, 2}, frozenset({"x"}),
    (1, "a", b"b", (None, [True])),
]
for version in range(6):
    for value in values:
        back = marshal.loads(marshal.dumps(value, version))
        assert repr(back) == repr(value) and type(back) is type(value), (version, value, back)
print("round trips", len(values))

shared = [1]
back = marshal.loads(marshal.dumps((shared, shared)))
print(back[0] is back[1])
loop = []
loop.append(loop)
back = marshal.loads(marshal.dumps(loop))
print(back[0] is back)


def attempt(call, *args, **kwargs):
    try:
        print(repr(call(*args, **kwargs)))
    except Exception as error:
        print(type(error).__name__, error)


attempt(marshal.dumps, object())
attempt(marshal.dumps, [1, object()])
attempt(marshal.dumps, slice(1), 3)
attempt(marshal.loads, b"")
attempt(marshal.loads, b"?")
attempt(marshal.loads, b"i\x01")
attempt(marshal.loads, b"0")
attempt(marshal.loads, b"(\x01\x00\x00\x000")
attempt(marshal.loads, b"[\xff\xff\xff\xff")
attempt(marshal.loads, b"r\x00\x00\x00\x00")
attempt(marshal.loads, b"l\x01\x00\x00\x00\xff\xff")
attempt(marshal.loads, b"l\x01\x00\x00\x00\x00\x00")
attempt(marshal.loads, "text")
attempt(marshal.dumps, (lambda: 0).__code__, allow_code=False)
attempt(marshal.loads, marshal.dumps((lambda: 0).__code__), allow_code=False)

deep = ()
for _ in range(3000):
    deep = (deep,)
attempt(marshal.dumps, deep)
attempt(marshal.loads, b")\x01" * 100000)

# CPython does not check code objects.
code = compile("def f(x):\n    return [y for y in x if y]\n", "f", "exec") if sys.implementation.name != "cpython" else None
data = marshal.dumps([values, code])
tried = 0
for at in range(len(data)):
    for byte in (0, 1, 0x7F, 0xFF, data[at] ^ 1, data[at] ^ 0x80):
        damaged = data[:at] + bytes([byte]) + data[at + 1:]
        try:
            marshal.loads(damaged)
        except (ValueError, EOFError, TypeError, UnicodeDecodeError, MemoryError, OverflowError):
            pass
        tried += 1
print("damaged", tried > 1000)

file = io.BytesIO()
for value in values[:20]:
    marshal.dump(value, file)
file.seek(0)
print([marshal.load(file) for _ in range(20)] == values[:20], file.read())
