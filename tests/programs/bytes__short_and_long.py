"""Bytes of a few and of many bytes: made, cut, joined, kept by views, and of subclasses."""

import gc
import sys


class Sub(bytes):
    pass


for n in (0, 1, 7, 8, 255, 256, 257, 1000):
    data = bytes(i % 251 for i in range(n))
    whole = data + b""
    assert whole == data and data[:] is data and bytes(data) is data
    for cut in (0, 1, n // 2, n - 1, n):
        if cut < 0:
            continue
        left, right = data[:cut], data[cut:]
        assert left + right == data and len(left) + len(right) == n
        assert bytes(bytearray(left)) == left and hash(left + right) == hash(data)
    assert data[::-1][::-1] == data and data[::2] == bytes(data[i] for i in range(0, n, 2))
    sub = Sub(data)
    assert sub == data and type(sub) is Sub and type(sub[:]) is bytes and sub + b"x" == data + b"x"
    sub.note = "kept"
    view = memoryview(data)
    assert bytes(view) == data and view.tobytes() == data
    del data
    gc.collect()
    assert bytes(view) == whole
    print(n, len(whole), sys.getsizeof(whole) - sys.getsizeof(b"") == n, whole.hex()[:20], sub.note, whole.strip(b"\x00")[:3])

print(b"a" * 300 == b"".join([b"a"] * 300), b"ab" + bytearray(b"cd"), type(bytearray(b"ab") + b"cd").__name__)
for other in ("x", 1, None):
    try:
        b"a" + other
    except TypeError as exc:
        print(exc)
print(b"\xe4\xbd".decode("latin-1") == "\xe4\xbd", "caf\xe9".encode("latin1"), "abc".encode("ascii"), b"abc".decode("utf8"))
for encoding in ("a\x00b", "\udc80", "none such"):
    try:
        "x".encode(encoding)
    except (ValueError, LookupError) as exc:
        print(type(exc).__name__, exc)
