import time
import struct


def t(f, *a):
    try:
        print(f.__name__, a, f(*a))
    except Exception as e:
        print(f.__name__, a, type(e).__name__, e)


P = struct.pack
for pre in "@<":
    for c in "bBhHiIlLqQ":
        for n in (1 << 70, -(1 << 70), -1 if c.isupper() else 1 << 63, 1 << 64):
            t(P, pre + c, n)
for c in "nNP":
    for n in (1 << 70, -1):
        t(P, c, n)
for c in "bhqnP?cspfde":
    for v in ("x", 1.5, b"ab"):
        t(P, c, v)
    t(P, "<" + c, None)
t(P, "f", 1e300)
t(P, "<f", 1e300)
t(P, "e", 1e9)
for args in (("3s", b"abcdef"), ("3p", b"abcdef"), ("0p", b""), ("i",), ("i", 1, 2), ("3",), ("k",), ("<n", 1),
             ("9999999999999999999999i",), ("\0i",), (b"i", 1), ("x", 1), (">e", 1.0), ("?", [])):
    t(P, *args)
for x in (0.0, -0.0, 1.0, 65504.0, 65519.99, 5.960464477539063e-08, 2.9e-08, 6.1e-05, 0.333251953125, float("inf"), -2.5):
    t(P, "<e", x)
t(struct.unpack, "<e", b"\x01\x00")
t(struct.unpack, "i", b"a")
t(struct.unpack_from, "i", b"abcdefgh", 6)
t(struct.unpack_from, "i", b"abcdefgh", -3)
t(struct.unpack_from, "i", b"abcdefgh", -30)
b = bytearray(8)
for args in (("i", b, 6, 1), ("i", b, -3, 1), ("i", b, -30, 1), ("i", b, 30, 1), ("i", b"abc", 0, 1), ("i", b), ("i",), ("i", b, 0),
             (">hh", b, 2, 1, -2)):
    t(struct.pack_into, *args)
print(b)
t(struct.iter_unpack, "i", b"abcde")
t(struct.iter_unpack, "", b"abcde")
print(list(struct.iter_unpack("<h", b"abcdef")))
t(struct.calcsize, "@bi0q")
t(struct.calcsize, " b i ")
s = struct.Struct("ii")
t(s.pack, 1)
t(s.unpack, b"a")
print(s, s.format, s.size, struct.unpack("5p", b"\x09abcd"), struct.unpack(">3sxH?", b"abc\0\1\2\1"))

# What is unpacked piece by piece from memory that may change: the pieces are read, not all of it again and again.
data = bytearray(range(256)) * 6250
before = time.monotonic()
items = list(struct.iter_unpack("<q", data))
print(len(items), items[:2], items == list(struct.iter_unpack("<q", bytes(data))))
view = memoryview(data)[3:-5]
print(sum(struct.unpack_from("<H", view, at)[0] for at in range(0, 20_000, 2)), time.monotonic() - before < 20)
del view
left = struct.iter_unpack("<q", data)
print(next(left), left.__length_hint__())
for _ in range(2):
    try:
        data.append(1)
        print("changed")
    except BufferError as e:
        print(e)
    for item in left:
        pass
for offset in (-1, -2, -1600002, 1600000, 1599999, 1 << 40):
    try:
        print(struct.unpack_from("<H", data, offset))
    except struct.error as e:
        print(e)
try:
    struct.unpack("<q", data)
except struct.error as e:
    print(e)

# Ints where a float is wanted.
for code, number in ("e", 65520), ("e", 65519), ("f", 10**39), ("d", 10**400), ("e", 65520.0), ("<f", 1e39), ("?", 10**400), ("d", True):
    try:
        print(code, struct.pack(code, number))
    except Exception as e:
        print(code, type(e).__name__, e)
