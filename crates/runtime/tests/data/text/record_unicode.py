"""Records what CPython says of every character it knows: `python3.13 record_unicode.py > unicode.txt`.

The first line names the characters (ranges); each other line is a question and the CRC-32 of its answers.
"""
import unicodedata
import zlib

# Unicode 16 gave the first two a capital and changed a property of the third.
CHANGED = {0x19b, 0x264, 0x1171e}
known = [c for c in range(0x110000) if unicodedata.category(chr(c)) != "Cn" and c not in CHANGED]
ranges = []
for c in known:
    if ranges and ranges[-1][1] == c - 1:
        ranges[-1][1] = c
    else:
        ranges.append([c, c])
print("known", ",".join(f"{a:x}-{b:x}" for a, b in ranges))

for name in "isalpha isalnum isdecimal isdigit isnumeric isspace isprintable isidentifier islower isupper istitle".split():
    method = getattr(str, name)
    print(name, f"{zlib.crc32(bytes(method(chr(c)) for c in known)):08x}")
print("continue", f"{zlib.crc32(bytes(('a' + chr(c)).isidentifier() for c in known)):08x}")

for name in "upper lower title capitalize swapcase casefold repr".split():
    method = repr if name == "repr" else getattr(str, name)
    crc = 0
    for c in known:
        for text in (chr(c), "A" + chr(c) + "\u03a3"):
            crc = zlib.crc32(method(text).encode("utf-32-le", "surrogatepass") + b"\n", crc)
    print(name, f"{crc:08x}")
crc = 0
for c in known:
    crc = zlib.crc32(bytes([int(chr(c)) if chr(c).isdecimal() else 255]), crc)
print("decimal", f"{crc:08x}")
