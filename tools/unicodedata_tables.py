"""Writes crates/stdlib/src/unicodedata/tables.bin, the data behind the module `unicodedata`.

Run with CPython and the package unicodedata2 in the version of the Unicode standard that is wanted:
    pip install unicodedata2==16.0.0
    python tools/unicodedata_tables.py
The format is read by crates/stdlib/src/unicodedata/data.rs: sections, each a length and its bytes, deflated as a whole.
"""
import pathlib
import struct
import zlib

import unicodedata2 as new

old = new.ucd_3_2_0
SHIFT = 7
ALL = range(0x110000)


def distinct(values):
    table = {}
    for value in values:
        table.setdefault(value, len(table))
    return table


def rows(ucd):
    for code in ALL:
        c = chr(code)
        yield (
            ucd.category(c), ucd.bidirectional(c), ucd.combining(c), ucd.mirrored(c), ucd.east_asian_width(c),
            ucd.decimal(c, 255), ucd.digit(c, 255), ucd.numeric(c, None),
        )


new_rows, old_rows = list(rows(new)), list(rows(old))
categories = distinct(["Cn"] + [row[0] for row in new_rows + old_rows])
bidis = distinct([""] + [row[1] for row in new_rows + old_rows])
widths = distinct([row[4] for row in new_rows + old_rows])
numbers = distinct([row[7] for row in new_rows + old_rows if row[7] is not None])
records = distinct(new_rows + old_rows)


def blocks(table):
    found = {}
    index = []
    size = 1 << SHIFT
    for start in range(0, 0x110000, size):
        block = tuple(records[row] for row in table[start:start + size])
        index.append(found.setdefault(block, len(found)))
    flat = [entry for block in found for entry in block]
    return struct.pack(f"<{len(index)}H", *index), struct.pack(f"<{len(flat)}H", *flat)


def packed_record(row):
    category, bidi, combining, mirrored, width, decimal, digit, numeric = row
    number = 0xffff if numeric is None else numbers[numeric]
    return struct.pack("<7BxHxx", categories[category], bidis[bidi], combining, mirrored, widths[width],
                       int(decimal), int(digit), number)


tags = distinct([""])
decompositions = []
for code in ALL:
    text = new.decomposition(chr(code))
    previous = old.decomposition(chr(code))
    assert previous in ("", text), hex(code)
    if text:
        parts = text.split()
        tag = parts.pop(0) if parts[0].startswith("<") else ""
        decompositions.append((code, tags.setdefault(tag, len(tags)), [int(part, 16) for part in parts]))

pool, offsets = [], []
for code, tag, codes in decompositions:
    offsets.append(len(pool))
    pool += [tag] + codes
offsets.append(len(pool))

compositions = []
for code, tag, codes in decompositions:
    if tag == 0 and len(codes) == 2:
        first, second = codes
        if new.normalize("NFC", chr(first) + chr(second)) == chr(code):
            compositions.append((first, second, code))
compositions.sort()

corrections = []
for code, tag, codes in decompositions:
    c = chr(code)
    if old.category(c) != "Cn" and old.normalize("NFD", c) != new.normalize("NFD", c):
        corrections.append((code, ord(old.normalize("NFD", c))))


def words(values):
    return struct.pack(f"<{len(values)}I", *values)


sections = [
    "\0".join(categories).encode(), "\0".join(bidis).encode(), "\0".join(widths).encode(), "\0".join(tags).encode(),
    b"".join(map(packed_record, records)), struct.pack(f"<{len(numbers)}d", *numbers),
    *blocks(new_rows), *blocks(old_rows),
    words([code for code, _, _ in decompositions]), words(offsets), words(pool),
    words([word for triple in compositions for word in triple]),
    words([word for pair in corrections for word in pair]),
]
data = b"".join(struct.pack("<I", len(section)) + section for section in sections)
compressor = zlib.compressobj(9, wbits=-15)
path = pathlib.Path(__file__).parent.parent / "crates/stdlib/src/unicodedata/tables.bin"
path.write_bytes(compressor.compress(data) + compressor.flush())
print(new.unidata_version, len(records), "records,", len(data), "bytes,", path.stat().st_size, "deflated")
