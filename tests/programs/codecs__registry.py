import codecs
import encodings.utf_8

print(codecs.lookup("utf-8").name, codecs.lookup("UTF 8").name, codecs.lookup("latin-1").name)
print("héllo".encode("cp1252"), b"\xe9".decode("cp437"), codecs.encode(b"abc", "hex"), codecs.encode("abc", "rot13"))
for enc in ("hex", "nope", "rot13", "a\0b"):
    for f in ("abc".encode, b"abc".decode):
        try:
            f(enc)
        except Exception as e:
            print(type(e).__name__, e)
try:
    codecs.decode(b"zz", "hex")
except Exception as e:
    print(type(e).__name__, e, e.__notes__)


def search(name):
    if name == "answer_42":
        return codecs.CodecInfo(lambda s, errors="strict": (b"42", len(s)), lambda b, errors="strict": (len(b), len(b)), name=name)
    if name == "broken":
        return 1, 2


codecs.register(search)
print("x".encode("Answer 42"))
for f, enc in ((b"x".decode, "answer-42"), ("x".encode, "broken")):
    try:
        f(enc)
    except Exception as e:
        print(type(e).__name__, e)
codecs.unregister(search)
try:
    "x".encode("answer-42")
except LookupError as e:
    print(e)
decoder = codecs.getincrementaldecoder("utf-8")()
print([decoder.decode(bytes([b])) for b in "é€😀".encode()], decoder.decode(b"", True))
decoder = codecs.getincrementaldecoder("utf-16")()
print([decoder.decode(bytes([b])) for b in "a€😀".encode("utf-16-be").join([b"\xfe\xff", b""])])
print(codecs.utf_7_encode("a+é"), codecs.utf_16_ex_decode(b"\xff\xfea\0"), codecs.charmap_decode(b"ab", "strict", {97: "xyz", 98: 0x20AC}))
print(codecs.charmap_encode("ab", "strict", {97: b"xyz", 98: 7}), codecs.escape_decode(rb"a\n\x41"), codecs.escape_encode(b"a\n'"))
table = codecs.charmap_build("".join(map(chr, range(256))))
print(codecs.charmap_encode("aÿ", "strict", table))
