# Bytes in files, buffers and memory.
import io
import os

path = f"/tmp/lisle-io-binary-{os.getpid()}"


def show(what, f):
    try:
        print(what, "->", repr(f()))
    except Exception as exc:
        print(what, "raised", type(exc).__name__, str(exc).replace(path, "PATH"))


# FileIO.
with io.FileIO(path, "w") as f:
    print(f.write(b"hello"), f.write(bytearray(b" world")), f.write(memoryview(b"!\n")[:1]), f.tell())
    print(f.mode, f.closefd, f.closed, f.readable(), f.writable(), f.seekable(), f.isatty())
    show("read", f.read)
    show("readinto", lambda: f.readinto(bytearray(3)))
    show("str", lambda: f.write("x"))
    print(repr(f).replace(path, "PATH").replace(str(f.fileno()), "FD"))
print(repr(f), f.closed, f.close())
show("closed", f.read)
show("closed", f.fileno)
with io.FileIO(path, "r+") as f:
    buffer = bytearray(4)
    print(f.readinto(buffer), buffer, f.read(2), f.read(), f.read(), f.seek(-3, 2), f.readall(), f.seek(1))
    print(f.truncate(5), f.tell(), f.readall(), f.truncate(), f.readall(), f.mode)
for mode in ("rw", "", "q", "r++", "b", "wb+", "x"):
    show(mode, lambda: io.FileIO(path, mode).mode)
show("missing", lambda: io.FileIO(path + "-missing"))
show("folder", lambda: io.FileIO("/tmp", "r").name)
show("bytes path", lambda: io.FileIO(path.encode()).name == path.encode())
show("fd", lambda: io.FileIO(-5))
show("closefd", lambda: io.FileIO(path, closefd=False))
show("path", lambda: io.FileIO(3.5))
show("zero", lambda: io.FileIO("a\0b"))
show("opener", lambda: io.FileIO(path, opener=lambda name, flags: "x"))
show("opener", lambda: io.FileIO(path, opener=lambda name, flags: -3))
show("opener", lambda: io.FileIO(path, opener=lambda name, flags: os.open(name, flags)).read())

# open()
for args in (("rb",), ("wb",), ("r+b",), ("rb", 0), ("w",), ("xb",), ("ab",), ("rwb",), ("rbt",), ("",), ("rU",), ("r", 0)):
    try:
        with open(path, *args) as f:
            print(args, type(f).__name__, f.mode)
    except Exception as exc:
        print(args, type(exc).__name__, str(exc).replace(path, "PATH"))
show("encoding", lambda: open(path, "rb", encoding="utf-8"))
show("errors", lambda: open(path, "rb", errors="strict"))
show("newline", lambda: open(path, "rb", newline=""))


# Buffers on streams that give and take little.
class Raw(io.RawIOBase):
    def __init__(self, data=b"", step=3):
        self.data, self.step, self.pos, self.log = bytearray(data), step, 0, []

    def readable(self):
        return True

    def writable(self):
        return True

    def seekable(self):
        return True

    def readinto(self, b):
        part = self.data[self.pos : self.pos + min(len(b), self.step)]
        b[: len(part)] = part
        self.pos += len(part)
        self.log.append(("r", len(b), len(part)))
        return len(part)

    def write(self, b):
        part = bytes(b)[: self.step]
        self.data[self.pos : self.pos + len(part)] = part
        self.pos += len(part)
        self.log.append(("w", part))
        return len(part)

    def seek(self, pos, whence=0):
        self.pos = pos + (0, self.pos, len(self.data))[whence]
        self.log.append(("s", pos, whence))
        return self.pos


raw = Raw(b"line one\nline two\nrest")
r = io.BufferedReader(raw, 8)
print(r.peek(), r.read(2), r.readline(), r.readline(3), r.tell(), r.read1(), r.read1(2), r.read())
print([entry for entry in raw.log if entry[1] < 1000])
r.seek(2)
print(r.read(4), r.seek(-2, 1), r.read(3), r.seek(-4, 2), r.read(1), r.tell(), r.read(100))
b = bytearray(6)
r.seek(0)
print(r.readinto(b), b, r.readinto1(b), b)
print([line for line in io.BufferedReader(Raw(b"a\nbb\n\nc"), 4)])
show("negative", lambda: r.read(-2))
show("write", lambda: r.write(b""))
show("truncate", lambda: r.truncate(0))

raw = Raw(step=5)
w = io.BufferedWriter(raw, 8)
print([w.write(s) for s in (b"abc", b"def", b"ghijkl", b"", b"m" * 20)], w.tell())
w.flush()
print(raw.log, bytes(raw.data))
print(w.seek(2), w.write(b"XY"), w.seek(0), bytes(raw.data[:6]), w.tell())
show("read", w.read)

raw = Raw(b"0123456789abcdef", step=100)
rw = io.BufferedRandom(raw, 8)
print(rw.read(3), rw.write(b"XYZ"), rw.read(3), rw.tell(), bytes(raw.data))
rw.seek(1)
rw.write(b"--")
print(rw.peek()[:4], rw.tell(), bytes(raw.data), rw.readline())
print(rw.seek(0), rw.read())
rw.seek(0, 2)
rw.write(b"end")
rw.flush()
print(bytes(raw.data), repr(rw))

pair = io.BufferedRWPair(Raw(b"input\nmore"), Raw(step=50), 4)
print(pair.readline(), pair.write(b"out"), pair.flush(), pair.read(), pair.readable(), pair.writable(), pair.closed)
pair.close()
print(pair.closed)


class Never(io.RawIOBase):
    def readable(self):
        return True

    def writable(self):
        return True

    def readinto(self, b):
        return None

    def write(self, b):
        return None


r = io.BufferedReader(Never())
print(r.read(), r.read(3), r.read1(), r.readline(), r.readinto(bytearray(3)), r.peek())
w = io.BufferedWriter(Never(), 4)
print(w.write(b"abc"))
try:
    w.write(b"defgh")
except BlockingIOError as exc:
    print(exc, exc.characters_written)
try:
    w.flush()
except BlockingIOError as exc:
    print(exc, exc.characters_written)


class Wrong(Never):
    def readinto(self, b):
        return len(b) + 1

    def write(self, b):
        return len(b) + 1


show("readinto", lambda: io.BufferedReader(Wrong(), 64).read(3))
show("write", lambda: io.BufferedWriter(Wrong(), 2).write(b"abcdef"))
show("size", lambda: io.BufferedReader(Raw(), 0))
show("unreadable", lambda: io.BufferedReader(io.FileIO(path, "w")))
show("no init", lambda: io.BufferedReader.__new__(io.BufferedReader).read())
r = io.BufferedReader(Raw(b"abc"))
raw = r.detach()
show("detached", r.read)
show("detached", r.detach)
r = io.BufferedReader(raw)
r.close()
show("closed", r.read)
show("closed", lambda: r.seek(0))
print(r.closed, r.close())


class Reentrant(Raw):
    def write(self, b):
        try:
            self.owner.write(b"again")
        except RuntimeError as exc:
            print("RuntimeError", str(exc)[:21])
        return super().write(b)


raw = Reentrant(step=50)
raw.owner = w = io.BufferedWriter(raw, 4)
w.write(b"first")
w.flush()
print(bytes(raw.data))


class FailingFlush(Raw):
    def write(self, b):
        raise OSError("no room")

    def close(self):
        print("closing")
        super().close()


w = io.BufferedWriter(FailingFlush())
w.write(b"x")
show("close", w.close)

# BytesIO.
b = io.BytesIO(b"abc\ndef\n\nghi")
print(b.read(2), b.readline(), b.readlines(), b.read(), b.tell(), b.seek(4), list(b))
print(b.seek(20), b.read(), b.write(b"X"), b.getvalue(), b.seek(0), b.truncate(3), b.getvalue(), b.tell())
print(b.write(b"12345"), b.getvalue(), b.seek(-2, 2), b.read1(1), b.readinto(bytearray(3)), b.seek(-1, 1))
b.writelines([b"x", bytearray(b"y"), memoryview(b"z")])
print(b.getvalue(), b.closed, b.readable(), b.writable(), b.seekable(), b.isatty(), b.flush())
view = b.getbuffer()
view[0] = ord("!")
show("export", lambda: b.write(b"more"))
show("export", b.close)
view.release()
print(b.getvalue(), b.__getstate__())
show("negative", lambda: b.seek(-1))
show("whence", lambda: b.seek(0, 9))
show("text", lambda: b.write("x"))
show("truncate", lambda: b.truncate(-1))
b.extra = 1
c = io.BytesIO()
c.__setstate__(b.__getstate__())
print(c.getvalue(), c.tell(), c.extra)
b.close()
show("closed", b.getvalue)
show("closed", lambda: next(b))
with io.BytesIO(b"with") as b:
    pass
print(b.closed)


# Defaults of the base classes.
class Base(io.IOBase):
    pass


base = Base()
for name in ("seek", "tell", "truncate", "fileno", "flush", "isatty", "readable", "seekable", "readline", "close", "flush"):
    show(name, lambda: getattr(base, name)(*([0] if name == "seek" else [])))
show("iter", lambda: iter(base))
for cls in (io.RawIOBase, io.BufferedIOBase, io.TextIOBase):
    show(cls.__name__, lambda: cls().read())
    show(cls.__name__, lambda: cls().write(b""))


class Letters(io.RawIOBase):
    def __init__(self):
        self.rest = b"ab\ncd\nef"

    def read(self, n=-1):
        part, self.rest = self.rest[:n], self.rest[n:]
        return part


print(list(Letters()), Letters().readline(1), Letters().readlines(2))
os.remove(path)
