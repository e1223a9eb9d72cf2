# Text streams: line endings, encodings, positions, errors.
import io
import os

path = f"/tmp/lisle-io-text-{os.getpid()}"


def show(what, f):
    try:
        print(what, "->", ascii(f()))
    except Exception as exc:
        print(what, "raised", type(exc).__name__, ascii(str(exc)))


# Line endings when reading.
data = b"one\r\ntwo\rthree\nfour\r\n\r\nlast\r"
for newline in (None, "", "\n", "\r", "\r\n"):
    for size in (1, 2, 3, 5, 8192):
        text = io.TextIOWrapper(io.BytesIO(data), encoding="ascii", newline=newline)
        text._CHUNK_SIZE = size
        lines = list(text)
        assert "".join(lines).count("\n") >= 2
        if size in (1, 8192):
            print(repr(newline), size, lines, repr(text.newlines))
    text = io.TextIOWrapper(io.BytesIO(data), encoding="ascii", newline=newline)
    text._CHUNK_SIZE = 3
    print([text.readline(4) for _ in range(6)], ascii(text.read(3)), ascii(text.read()))

# Line endings when writing.
for newline in (None, "", "\n", "\r", "\r\n"):
    raw = io.BytesIO()
    text = io.TextIOWrapper(raw, encoding="ascii", newline=newline)
    print(text.write("a\nb\r\nc\rd"), end=" ")
    text.flush()
    print(repr(newline), raw.getvalue())

# Encodings, and characters split between chunks.
sample = "aé€\U0001f600\nzweite Zeile ß\n" * 3
for encoding in ("utf-8", "UTF8", "latin-1", "ascii", "utf-16", "utf-16-le", "utf-32-be", "utf-8-sig", "cp1252"):
    for errors in ("strict", "replace", "ignore", "backslashreplace", "xmlcharrefreplace"):
        raw = io.BytesIO()
        text = io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="")
        try:
            text.write(sample)
            text.flush()
        except UnicodeEncodeError as exc:
            print(encoding, errors, ascii(str(exc)))
            continue
        data = raw.getvalue()
        for size in (1, 3, 7, 8192):
            raw.seek(0)
            back = io.TextIOWrapper(raw, encoding=encoding, newline="")
            back._CHUNK_SIZE = size
            result = back.read(3) + back.readline() + back.read()
            assert size == 1 or result == first, (encoding, size)
            first = result
            back.detach()
        print(encoding, errors, len(data), ascii(first[:12]), first == sample)
        text.detach()

bad = b"ok\xff\xfe\xe2\x82x\n\xf0\x9f"
for errors in ("strict", "replace", "ignore", "backslashreplace", "surrogateescape"):
    for encoding in ("utf-8", "ascii"):
        for size in (1, 8192):
            text = io.TextIOWrapper(io.BytesIO(bad), encoding=encoding, errors=errors)
            text._CHUNK_SIZE = size
            show((encoding, errors, size), text.read)

# Positions.
with open(path, "w+", encoding="utf-8", newline="") as f:
    f.write("première ligne\r\nзwei\rdrei €€€\nend")
    f.seek(0)
    for newline in (None, "", "\n"):
        with open(path, encoding="utf-8", newline=newline) as g:
            for chunk in (1, 5, 16, 8192):
                g.seek(0)
                g._CHUNK_SIZE = chunk
                places = []
                while True:
                    places.append((g.tell(), g.read(3)))
                    if not places[-1][1]:
                        break
                for place, expected in places:
                    g.seek(place)
                    assert g.read(3) == expected, (newline, chunk, place)
                assert g.seek(0, 2) == os.path.getsize(path)
                assert g.read() == ""
            print(repr(newline), [text for _, text in places])
    f.seek(0, 2)
    f.write("!")
    f.seek(0)
    print(ascii(f.readline()), f.tell())
    f.write("X")
    f.seek(0)
    print(ascii(f.read()))
    f.seek(4)
    print(f.truncate(), ascii(f.read()), os.path.getsize(path))
    show("relative", lambda: f.seek(1, 1))
    show("from the end", lambda: f.seek(-1, 2))
    show("negative", lambda: f.seek(-1))
    show("whence", lambda: f.seek(0, 7))
    f.seek(0)
    next(f)
    show("tell in a loop", f.tell)
    list(f)
    print(f.tell())

# Attributes and state.
with open(path, "w", encoding="ascii", errors="replace") as f:
    print(f.encoding, f.errors, f.newlines, f.line_buffering, f.write_through, f.mode, f.closed)
    print(f.readable(), f.writable(), f.seekable(), f.isatty(), type(f.buffer).__name__, type(f.buffer.raw).__name__)
    print(repr(f).replace(path, "PATH"), repr(f.buffer).replace(path, "PATH"))
    show("read", f.read)
    show("readline", f.readline)
    show("next", lambda: next(f))
    show("bytes", lambda: f.write(b"x"))
    print(f.write("é\n"))
    f.reconfigure(encoding="utf-8", line_buffering=True)
    print(f.encoding, f.errors, f.line_buffering)
    f.write("é\n")
    print(open(path, "rb").read())
print(f.closed, f.close())
show("closed write", lambda: f.write("x"))
show("closed read", f.read)
show("closed flush", f.flush)
show("closed iteration", lambda: next(f))
show("closed with", lambda: f.__enter__())
f = open(path, encoding="utf-8")
print(ascii(f.readline()))
show("reconfigure", lambda: f.reconfigure(encoding="ascii"))
show("reconfigure", lambda: f.reconfigure(newline="x"))
f.reconfigure(write_through=True)
buffer = f.detach()
show("detached", f.read)
show("detached", lambda: repr(f))
print(buffer.read())
buffer.close()
show("no stream", lambda: io.TextIOWrapper(5))
show("bad newline", lambda: io.TextIOWrapper(io.BytesIO(), newline="x"))
show("bad newline type", lambda: io.TextIOWrapper(io.BytesIO(), newline=5))
show("bad encoding", lambda: io.TextIOWrapper(io.BytesIO(), encoding="nothing like that"))
show("no text encoding", lambda: io.TextIOWrapper(io.BytesIO(), encoding="hex"))
show("not initialised", lambda: io.TextIOWrapper.__new__(io.TextIOWrapper).read())

# The decoder of line endings.
d = io.IncrementalNewlineDecoder(None, translate=True)
print([d.decode(s) for s in ("a\r", "\nb", "\r", "c\r\n", "\r")], ascii(d.decode("", final=True)), d.newlines)
d = io.IncrementalNewlineDecoder(None, translate=False)
print([d.decode(s) for s in ("a\r", "\nb\r", "")], d.getstate(), d.newlines, d.reset(), d.newlines, d.getstate())
d.setstate((b"", 1))
print(ascii(d.decode("x")))


class Upper(io.TextIOWrapper):
    def readline(self, size=-1):
        return super().readline(size).upper()


with open(path, "wb") as f:
    f.write(b"abc\ndef")
with open(path, "rb") as f:
    print(list(Upper(f, encoding="ascii")))
os.remove(path)
