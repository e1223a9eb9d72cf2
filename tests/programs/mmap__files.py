"""mmap: anonymous memory and files; buffers; wrong arguments."""
import mmap
import sys
import tempfile


def shown(f, *args, **kwargs):
    try:
        print(f(*args, **kwargs))
    except Exception as e:
        print(type(e).__name__, e)


m = mmap.mmap(-1, 10)
print(len(m), m[:], m[0], m.tell(), m.closed)
print(m.write(b"hello"), m.tell(), m.seek(0), m.read(2), m.read_byte(), m.readline(), m.read())
m[0] = 65
m[1:3] = b"BC"
m[9::-3] = b"9630"
print(m[:], m[::3], m.find(b"l"), m.rfind(b"9"), m.find(b"zz"), bytes(memoryview(m)[2:4]))
m.move(0, 5, 3)
print(m[:], m.seek(-1, 2), m.flush())
for f, args in (
    (mmap.mmap, (-1, -1)),
    (mmap.mmap, (-1, 0)),
    (m.seek, (99,)),
    (m.seek, (0, 7)),
    (m.write, (b"x" * 11,)),
    (m.__getitem__, (10,)),
    (m.__getitem__, ("x",)),
    (m.__setitem__, (0, 300)),
    (m.__setitem__, (0, b"x")),
    (m.__setitem__, (slice(0, 3), b"x")),
    (m.__delitem__, (0,)),
    (m.move, (0, 5, 6)),
    (m.madvise, (4, 20, 3)),
    (m.find, (3,)),
    (m.read, ("x",)),
):
    shown(f, *args)
shown(mmap.mmap, -1, 10, access=9)
shown(mmap.mmap, -1, 10, offset=-1)
with tempfile.TemporaryFile() as f:
    f.write(b"abcd" * 10)
    f.flush()
    with mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as r:
        print(r, r[:4], r.size())
        shown(r.write, b"x")
        shown(r.__setitem__, 0, 1)
        shown(r.resize, 3)
    print(r)
    c = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY)
    c[0] = 90
    w = mmap.mmap(f.fileno(), 0)
    w[1] = 89
    w.flush()
    f.seek(0)
    print(f.read(4), c[:4])
    w.resize(8)
    print(len(w), w[:])
    shown(mmap.mmap, f.fileno(), 100)
    shown(mmap.mmap, f.fileno(), 2, offset=4096)
    view = memoryview(w)
    shown(w.close)
    shown(w.resize, 5)
    view.release()
    w.close()
    for g, args in ((w.read, ()), (len, (w,)), (w.__getitem__, (0,)), (w.tell, ()), (w.close, ()), (repr, (w,))):
        shown(g, *args)

def shown_error(f, *args):
    try:
        print(f(*args))
    except (ValueError, OSError) as e:
        print(type(e).__name__, e)


anonymous = mmap.mmap(-1, 4096)
for offset, size in (-sys.maxsize - 1, 0), (sys.maxsize, 1), (-1, 5), (5, sys.maxsize), (4096, 0):
    shown_error(anonymous.flush, offset, size)
shown_error(anonymous.flush, -sys.maxsize - 1)
with tempfile.TemporaryFile() as f:
    f.truncate(8192)
    second = mmap.mmap(f.fileno(), 4096, offset=4096)
    shown_error(second.resize, sys.maxsize)
    print(len(second))
    second.close()
# CPython 3.13.0 makes it larger, and dies where the new part is looked at; later ones say this.
shown_error(anonymous.resize, 16384)
print(len(anonymous), anonymous[4095])
private = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
private.resize(16384)
print(len(private), private[10000])
anonymous.close()
private.close()
