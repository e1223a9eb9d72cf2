# StringIO.
import io
import pickle


def show(what, f):
    try:
        print(what, "->", ascii(f()))
    except Exception as exc:
        print(what, "raised", type(exc).__name__, exc)


s = io.StringIO("one\ntwo\r\nthree")
print(ascii(list(s)), s.tell(), s.seek(0), ascii(s.read(5)), ascii(s.readline()), ascii(s.read()), ascii(s.read()))
s.seek(2)
print(s.write("é€\U0001f600"), ascii(s.getvalue()), s.tell(), s.truncate(4), ascii(s.getvalue()), s.tell())
print(s.seek(8), s.write("end"), ascii(s.getvalue()), s.seek(0, 2), s.seek(0, 1))
s.seek(0)
print(ascii(s.readline(2)), ascii(s.readlines()))
for newline in (None, "", "\n", "\r", "\r\n"):
    s = io.StringIO("a\nb\r\nc\rd", newline=newline)
    print(repr(newline), ascii(s.getvalue()), ascii(list(s)), s.newlines)
    print(s.write("x\ny\r\n"), ascii(s.getvalue()), s.newlines)
show("bytes", lambda: s.write(b"x"))
show("initial", lambda: io.StringIO(b"x"))
show("newline", lambda: io.StringIO("", 5))
show("newline", lambda: io.StringIO("", "x"))
show("seek", lambda: s.seek(-1))
show("seek", lambda: s.seek(1, 1))
show("seek", lambda: s.seek(0, 4))
show("truncate", lambda: s.truncate(-2))
show("read", lambda: s.read("x"))
print(s.readable(), s.writable(), s.seekable(), s.isatty(), s.line_buffering, s.encoding, s.errors, s.closed)
show("fileno", s.fileno)
show("detach", s.detach)
s.close()
show("closed", s.getvalue)
show("closed", lambda: s.write("x"))
show("closed", lambda: next(s))
show("closed", s.readable)
s = io.StringIO("text", newline="\r\n")
s.seek(2)
s.note = [1]
t = pickle.loads(pickle.dumps(s))
print(t.getvalue(), t.tell(), t.note, t.__getstate__())
out = io.StringIO()
print("a", 1, None, sep="-", end="!\n", file=out)
print("b", file=out)
print(repr(out.getvalue()))


class Loud(io.StringIO):
    def write(self, text):
        return super().write(text.upper())


loud = Loud()
print("quiet", file=loud)
print(repr(loud.getvalue()))
