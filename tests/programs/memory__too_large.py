"""Requests for more memory than any machine has: MemoryError at once, and the program goes on."""
import array
import io

n = 8 << 40
text, wide, data = "a", "\u20ac", b"ab"
CASES = {
    "bytes": lambda: bytes(n),
    "bytearray": lambda: bytearray(n),
    "str *": lambda: text * n,
    "wide str *": lambda: wide * n,
    "bytes *": lambda: data * n,
    "bytearray *": lambda: bytearray(data) * n,
    "bytearray *=": lambda: bytearray(data).__imul__(n),
    "list *": lambda: [None] * n,
    "list *=": lambda: [1].__imul__(n),
    "tuple *": lambda: (1, 2) * n,
    "array *": lambda: array.array("d", [1]) * n,
    "array *=": lambda: array.array("d", [1]).__imul__(n),
    "zfill": lambda: text.zfill(n),
    "ljust": lambda: text.ljust(n),
    "center": lambda: wide.center(n),
    "bytes.rjust": lambda: data.rjust(n),
    "bytearray.zfill": lambda: bytearray(data).zfill(n),
    "format": lambda: format(1, str(n)),
    "format of text": lambda: format("x", str(n)),
    "%": lambda: "%*d" % (n, 1),
    "to_bytes": lambda: (1).to_bytes(n, "big"),
    "<<": lambda: 1 << (8 * n),
    "BytesIO.truncate": lambda: io.BytesIO().read(n),
    "replace": lambda: ("a" * 1000000).replace("a", "b" * 10000000),
}
for name, call in CASES.items():
    try:
        made = call()
        print(name, "made", len(made))
        del made
    except MemoryError:
        print(name, "MemoryError")
    except (OverflowError, ValueError) as error:
        print(name, type(error).__name__, error)
