import codecs


def attempt(f, *args):
    try:
        print(ascii(f(*args)))
    except Exception as e:
        print(type(e).__name__, e)


def handler(e):
    return "<%d-%d>" % (e.start, e.end), e.end


codecs.register_error("test.range", handler)
codecs.register_error("test.bytes", lambda e: (b"!", e.end))
codecs.register_error("test.back", lambda e: ("?", -1))
codecs.register_error("test.far", lambda e: ("?", 99))
codecs.register_error("test.wrong", lambda e: 42)


def replacing(e):
    e.object = b""
    return "\u4242", 0


codecs.register_error("test.object", replacing)
for errors in ("test.range", "test.bytes", "test.back", "test.far", "test.wrong", "test.none", "ignore", "replace",
               "backslashreplace", "xmlcharrefreplace", "namereplace", "surrogateescape", "surrogatepass", "strict"):
    print(errors)
    for encoding in ("ascii", "latin-1", "cp1252", "utf-8", "utf-16-le"):
        attempt("a\xe9\u20ac\udc80b".encode, encoding, errors)
    if errors not in ("test.bytes", "test.back"):
        for data, encoding in ((b"a\xff\xe2b", "ascii"), (b"a\xffb\xe2\x82", "utf-8"), (b"a\0\0\xd8b\0c", "utf-16-le"),
                               (b"\\x4g\\N{zz}", "unicode_escape"), (b"a\x81", "cp1252")):
            attempt(data.decode, encoding, errors)
for data, encoding in ((b"\xff", "ascii"), (b"++", "utf-7"), (b"\xff", "utf-8"), (b"\xff", "utf-16"), (b"\xff", "utf-32"),
                       (b"\\u123g", "unicode-escape"), (b"\\u123g", "raw-unicode-escape")):
    attempt(data.decode, encoding, "test.object")
for name in ("strict", "ignore", "replace", "backslashreplace", "xmlcharrefreplace", "namereplace", "surrogateescape", "surrogatepass"):
    f = codecs.lookup_error(name)
    print(f)
    for e in (UnicodeEncodeError("utf-8", "a\udc80\u20ac", 1, 2, "why"), UnicodeDecodeError("utf-8", b"a\xed\xb2\x80", 1, 2, "why"),
              UnicodeTranslateError("a\u20ac", 1, 2, "why"), ValueError("x"), 5):
        attempt(f, e)
attempt(codecs.register_error, "x", 5)
attempt(codecs.lookup_error, "zzz")
