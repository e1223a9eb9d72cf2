"""Records what CPython makes of odd bytes and texts: `python3.13 record_codecs.py > codecs.txt`.

A line is tab-separated: operation, codec, error handler, input, answer. Bytes are hexadecimal, texts are
`unicode_escape`; an answer after `!` is the error (start, end, reason), after `=` the value.
"""
import random
import warnings

warnings.simplefilter("ignore")
random.seed(314)


def esc(text):
    return text.encode("unicode_escape").decode()


def line(*fields):
    print("\t".join(fields))


def decode(codec, errors, data):
    try:
        answer = "=" + esc(data.decode(codec, errors))
    except UnicodeDecodeError as e:
        answer = f"!{e.start} {e.end} {e.encoding}: {e.reason}"
    line("decode", codec, errors, data.hex(), answer)


def encode(codec, errors, text):
    try:
        answer = "=" + text.encode(codec, errors).hex()
    except UnicodeEncodeError as e:
        answer = f"!{e.start} {e.end} {e.encoding}: {e.reason}"
    line("encode", codec, errors, esc(text), answer)


DECODE = "strict ignore replace backslashreplace surrogateescape surrogatepass".split()
ENCODE = DECODE + ["xmlcharrefreplace"]
UTF8 = [b"a", b"\xc3\xa9", b"\xea\xb0\x80", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\xed\xb2\x80", b"\xff", b"\xc1",
        b"\x80", b"\xbf", b"\xe0", b"\xe0\x80", b"\xe2\x82", b"\xf0\x9f", b"\xf4\x90", b"\xf5", b"\xc3", b"\xed"]
for _ in range(500):
    decode("utf-8", random.choice(DECODE), b"".join(random.choices(UTF8, k=random.randrange(5))))
WIDE = [b"a\0", b"\0a", b"\0\xd8", b"\xd8\0", b"\0\xdc", b"\xdc\0", b"\xff\xfe", b"\xfe\xff", b"x", b"\0\0", b"\x11\0"]
for _ in range(700):
    codec = random.choice("utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be".split())
    decode(codec, random.choice(DECODE), b"".join(random.choices(WIDE, k=random.randrange(7))))
for _ in range(60):
    decode("ascii", random.choice(DECODE), bytes(random.choices(b"ab\x80\xff\xe9", k=random.randrange(5))))
SEVEN = [b"+", b"-", b"A", b"AGE", b"2AA", b"2D3eAA", b"!", b"~", b"\\", b"\x80", b"AB", b"IKw", b"a", b"/", b"\xe9"]
for _ in range(500):
    decode("utf-7", random.choice(DECODE), b"".join(random.choices(SEVEN, k=random.randrange(6))))
ESCAPES = [b"\\", b"x", b"u", b"U", b"N", b"{", b"}", b"41", b"0", b"7", b"00", b"\xe9", b"\n", b"q", b"'", b"g", b"\\\\",
           b"\\u00e9", b"\\U0001f600", b"\\ud800", b"\\U00110000"]
for _ in range(700):
    codec = random.choice(["unicode_escape", "raw_unicode_escape"])
    decode(codec, random.choice(["strict", "replace", "backslashreplace"]),
           b"".join(random.choices(ESCAPES, k=random.randrange(7))))
TEXT = ["a", "+", "-", "~", "\\", "\n", "\0", "\x7f", "\xe9", "\xff", "\u0100", "\uac00", "\ud800", "\udc80", "\udcff",
        "\udfff", "\ue000", "\U0001f600", "\U0010ffff", "A/"]
for _ in range(1000):
    codec = random.choice("utf-8 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be ascii latin-1 utf-7 "
                          "unicode_escape raw_unicode_escape".split())
    encode(codec, random.choice(ENCODE), "".join(random.choices(TEXT, k=random.randrange(6))))
