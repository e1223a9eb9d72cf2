"""Views: indexing, slicing, casts, comparison, release, and what exports forbid."""


def attempt(f, *args):
    try:
        print(f(*args))
    except Exception as e:
        print(type(e).__name__, e)


b = bytearray(range(12))
m = memoryview(b)
print(m[0], m[-1], len(m), m.nbytes, m.format, m.itemsize, m.shape, m.strides, m.suboffsets, m.ndim, m.readonly)
print(m.obj is b, m.c_contiguous, m.f_contiguous, m.contiguous)
print(m[2:5].tobytes(), m[::-2].tolist(), m[::-1].tobytes(), bytes(m[1::3]), m[5:2].tolist())
attempt(lambda: m[12])
attempt(lambda: m["a"])
attempt(lambda: m[0, 1])
m[0] = 255
m[1:3] = b"xy"
m[::-4] = bytearray(b"123")
print(b)
for bad in (256, -1, "a", 1.5, None):
    attempt(m.__setitem__, 0, bad)
attempt(m.__setitem__, slice(0, 2), b"abc")
attempt(m.__setitem__, slice(0, 2), 5)
attempt(m.__delitem__, 0)
attempt(b.append, 1)
attempt(b.pop)
attempt(b.clear)
attempt(lambda: b.__delitem__(0))
attempt(lambda: b.__setitem__(slice(0, 1), b"zz"))
b[0:1] = b"z"
b[3] = 7
b.reverse()
print(bytes(m))

# Casts.
h = m.cast("H")
print(h.format, h.itemsize, h.shape, h.strides, h.nbytes, len(h))
grid = m.cast("B", (3, 4))
print(grid.tolist(), grid[1, 2], grid.shape, grid.strides, grid.ndim)
print(grid[1:].tolist(), grid[::2].tolist(), grid[::2].c_contiguous, grid[::2].tobytes())
grid[2, 3] = 99
attempt(lambda: grid[0])
attempt(lambda: grid[3, 0])
attempt(lambda: grid[0, 0, 0])
attempt(lambda: grid[0:1, 0:1])
attempt(grid.__setitem__, 0, 1)
attempt(grid.__setitem__, slice(0, 1), b"abcd")
print(grid.cast("B").tolist(), grid.tobytes("F"), grid.tobytes("A"))
attempt(grid.tobytes, "X")
attempt(grid.cast, "B", (2, 6))
attempt(m.cast, "H", (5,))
attempt(m.cast, "xx")
attempt(m[::2].cast, "H")
attempt(memoryview(b"abc").cast, "H")
attempt(h.cast, "I")
attempt(m.cast, "B", 12)
attempt(m.cast, "B", (0, 12))
attempt(m.cast, "B", ("a",))
scalar = memoryview(b"Q").cast("B", ())
print(scalar.shape, scalar.ndim, scalar[()], scalar[...] == scalar, scalar.tolist(), scalar.tobytes())
attempt(len, scalar)
attempt(lambda: scalar[0])
attempt(iter, scalar)
for fmt in "bBhHiIlLqQnNfd?c":
    size = memoryview(bytes(16)).cast(fmt)
    print(fmt, size.itemsize, size[0])
d = memoryview(bytearray(16)).cast("d")
d[0] = 1.5
d[1] = 3
print(d.tolist(), d.tobytes())
q = memoryview(bytearray(8)).cast("q")
q[0] = -(2**63)
attempt(q.__setitem__, 0, 2**63)
print(q[0])
c = memoryview(bytearray(b"ab")).cast("c")
c[0] = b"z"
attempt(c.__setitem__, 0, b"zz")
attempt(c.__setitem__, 0, 1)
print(c.tolist(), list(c))

# Comparison and hash.
print(memoryview(b"ab") == b"ab", b"ab" == memoryview(b"ab"), memoryview(b"ab") == memoryview(bytearray(b"ab")), m == 5, m != b"")
print(memoryview(b"\1\0").cast("h") == memoryview(b"\1"), memoryview(b"\1\0").cast("h") == memoryview(b"\1").cast("b"))
nan = memoryview(bytearray(b"\0\0\0\0\0\0\xf8\x7f")).cast("d")
print(nan == nan, nan[0])
print(hash(memoryview(b"abc")) == hash(b"abc"))
attempt(hash, m)
attempt(hash, memoryview(b"ab").cast("h"))
attempt(lambda: m < m)
print(m.hex() == bytes(m).hex(), m.hex("-")[:8], m[::2].hex(":", 2))
print(b"a" in [memoryview(b"a")], 7 in m, list(reversed(memoryview(b"abc"))))

# Release.
with memoryview(b) as v:
    w = v[2:]
print(repr(v).startswith("<released memory at"), w[0] == b[2])
attempt(lambda: v[0])
attempt(lambda: v.shape)
attempt(len, v)
attempt(v.tolist)
v.release()
ro = memoryview(b"abc")
attempt(ro.__setitem__, 0, 1)
print(m.toreadonly().readonly, m.readonly)
attempt(m.toreadonly().__setitem__, 0, 1)
for view in (m, h, grid, w):
    view.release()
b.append(5)
print(len(b))
attempt(memoryview, "abc")
attempt(memoryview, 5)
attempt(memoryview)
attempt(lambda: type("X", (memoryview,), {}))
print(memoryview(memoryview(b"xyz")[1:]).tolist(), bytes(memoryview(b"abcdef")[::2]), bytearray(memoryview(b"ab")))
print(b"-".join([memoryview(b"a"), memoryview(b"b")]), b"x" + memoryview(b"y"), int(memoryview(b"12")), b"abc".find(memoryview(b"c")))
it = iter(memoryview(b"ab"))
print(type(it).__name__, next(it), next(it), next(it, "end"))
match memoryview(b"ab"):
    case [x, y]:
        print(x, y)
