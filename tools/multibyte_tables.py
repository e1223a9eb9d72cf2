"""Records the tables of the East Asian codecs from CPython, by asking its codecs.

    python3.13 tools/multibyte_tables.py crates/stdlib/src/multibyte/tables.bin

The file is read by crates/stdlib/src/multibyte/tables.rs, which describes it.
"""

import sys
import zlib

ILLEGAL, MORE, FOUR, EIGHT, ROW, TWO = 0x110000, 0x110010, 0x110011, 0x110012, 0x110013, 0x110100

# Codecs and the codec whose tables theirs are compared with: by the same bytes, or as Shift JIS to EUC.
CODECS = [
    ("cp949", None), ("euc_kr", "cp949"), ("johab", None), ("gbk", None), ("gb2312", "gbk"), ("gb18030", "gbk"),
    ("big5", None), ("cp950", "big5"), ("big5hkscs", "big5"), ("euc_jp", None), ("shift_jis", "sjis:euc_jp"),
    ("cp932", "shift_jis"), ("euc_jisx0213", "euc_jp"), ("euc_jis_2004", "euc_jisx0213"),
    ("shift_jisx0213", "sjis:euc_jisx0213"), ("shift_jis_2004", "shift_jisx0213"),
]

# Sets of 94 x 94 characters: the codec that has them, the escape sequence, the table they are compared with.
GRIDS = [
    ("jisx0208", "iso2022_jp", b"\x1b$B", "euc_jp"), ("jisx0212", "iso2022_jp_1", b"\x1b$(D", None),
    ("ksx1001", "iso2022_kr", b"\x1b$(C", "cp949"), ("gb2312_grid", "iso2022_jp_2", b"\x1b$A", "gbk"),
    ("jisx0213_2000_1", "iso2022_jp_3", b"\x1b$(O", "euc_jisx0213"), ("jisx0213_2000_2", "iso2022_jp_3", b"\x1b$(P", None),
    ("jisx0213_2004_1", "iso2022_jp_2004", b"\x1b$(Q", "euc_jis_2004"),
    ("jisx0213_2004_2", "iso2022_jp_2004", b"\x1b$(P", "7bit:jisx0213_2000_2"),
]

# Which sets a codec chooses from, in order; the mark of each.
ISO2022 = [
    ("iso2022_kr", [("ksx1001", 0xC3)]),
    ("iso2022_jp", [("jisx0208", 0xC2)]),
    ("iso2022_jp_1", [("jisx0208", 0xC2), ("jisx0212", 0xC4)]),
    ("iso2022_jp_2", [("jisx0208", 0xC2), ("jisx0212", 0xC4), ("ksx1001", 0xC3), ("gb2312_grid", 0xC1)]),
    ("iso2022_jp_2004", [("jisx0208", 0xC2), ("jisx0213_2004_1", 0xD1), ("jisx0213_2004_2", 0xD0)]),
    ("iso2022_jp_3", [("jisx0208", 0xC2), ("jisx0213_2000_1", 0xCF), ("jisx0213_2000_2", 0xD0)]),
    ("iso2022_jp_ext", [("jisx0208", 0xC2), ("jisx0212", 0xC4)]),
]

CODES = [c for c in range(0x80, 0x30000) if not 0xD800 <= c < 0xE000]
out = bytearray()
tries = {}


def varint(n):
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)


def probe(encoding, prefix, data):
    """What a codec makes of bytes: a value, with the text if that is two characters."""
    try:
        text = (prefix + data).decode(encoding)
    except UnicodeDecodeError as e:
        if e.reason.startswith("incomplete"):
            return MORE, None
        return ILLEGAL + e.end - e.start, None
    if len(text) == 1:
        return ord(text), None
    return TWO, text


def explore(encoding, prefix=b"", firsts=range(256), seconds=range(256)):
    """Rows of values by path, and the texts of two characters."""
    rows, twos = {}, []

    def visit(path):
        row = []
        rows[path] = row
        for byte in range(256):
            if byte not in (seconds if path else firsts):
                row.append(ILLEGAL + 1)
                continue
            data = path + bytes([byte])
            value, text = probe(encoding, prefix, data)
            if text is not None and (data[:-1] and len(text) == 2 and text[1] == chr(byte) and byte < 0x80
                                     or len(text) != 2):
                raise SystemExit(f"{encoding}: {data!r} -> {text!r}")
            if value == TWO:
                value = TWO + len(twos)
                twos.append(text)
            if value == MORE:
                if encoding == "gb18030" and path and 0x30 <= byte <= 0x39:
                    value = FOUR
                elif encoding == "euc_kr" and data == b"\xa4\xd4":
                    value = EIGHT
                else:
                    value = ROW
            row.append(value)
        for byte in range(256):
            if row[byte] == ROW:
                visit(path + bytes([byte]))

    visit(b"")
    return rows, twos


def sjis_to_euc(lead, trail):
    """The EUC bytes of a Shift JIS pair of plane 1, or None."""
    if not (0x81 <= lead <= 0x9F or 0xE0 <= lead <= 0xEF) or trail == 0x7F or not 0x40 <= trail <= 0xFC:
        return None
    row = (lead - (0x81 if lead < 0xE0 else 0xC1)) * 2
    column = trail - 0x40 - (trail > 0x7F)
    if column >= 94:
        row, column = row + 1, column - 94
    return row + 0xA1, column + 0xA1


def prediction(parent, path):
    if parent is None:
        return None
    how, _, name = parent.rpartition(":")
    rows = tries[name]
    if how == "":
        return rows.get(path)
    if how == "7bit":
        return rows.get(path)
    if how == "euc":
        if len(path) != 1:
            return None
        row = rows.get(bytes([path[0] | 0x80]))
        return row and [row[b | 0x80] for b in range(256)]
    if len(path) != 1:
        return None
    predicted = []
    for trail in range(256):
        euc = sjis_to_euc(path[0], trail)
        row = euc and rows.get(bytes([euc[0]]))
        predicted.append(row[euc[1]] if row else ILLEGAL + 1)
    return predicted


def write_row(row, predicted):
    at = 0
    literal = []

    def flush():
        while literal:
            part = literal[:64]
            del literal[:64]
            out.append(3 << 6 | len(part) - 1)
            for value in part:
                out.extend(value.to_bytes(3, "little"))

    while at < 256:
        best = (0, 0)
        for kind in range(3):
            n = 0
            while n < 64 and at + n < 256:
                value = row[at + n]
                if kind == 0:
                    good = predicted is not None and predicted[at + n] == value
                else:
                    good = at + n > 0 and row[at + n - 1] + (kind == 2) == value
                if not good:
                    break
                n += 1
            best = max(best, (n, kind), key=lambda b: b[0])
        if best[0] >= 2 or best[0] == 1 and not literal:
            flush()
            out.append(best[1] << 6 | best[0] - 1)
            at += best[0]
        else:
            literal.append(row[at])
            at += 1
    flush()


def write_trie(name, rows, twos, parent):
    tries[name] = rows
    varint(len(twos))
    for text in twos:
        varint(ord(text[0]))
        varint(ord(text[1]))
    for path in rows:
        write_row(rows[path], prediction(parent, path))


def inverse(rows):
    """The first bytes of each character, shorter ones first."""
    found = {}
    for path in sorted(rows, key=lambda p: (len(p), p)):
        for byte, value in enumerate(rows[path]):
            if value < 0x110000:
                found.setdefault(value, path + bytes([byte]))
    return found


def write_exceptions(exceptions):
    varint(len(exceptions))
    last = 0
    for code, data in exceptions:
        varint(code - last)
        last = code
        out.append(len(data))
        out.extend(data)


def encoded(encoding, code):
    try:
        return chr(code).encode(encoding)
    except UnicodeEncodeError:
        return b""


def designated(encoding, code):
    """Mark and bytes of a character in a codec of ISO 2022."""
    data = encoded(encoding, code)
    if not data:
        return b""
    data = data.removesuffix(b"\x1b(B").removesuffix(b"\x0f")
    if data[0] != 0x1B:
        raise SystemExit(f"{encoding}: {code:x} -> {data!r}")
    if data[1] == 0x24 and data[2] not in b"()":
        mark, rest = data[2] | 0x80, data[3:]
    elif data[1] == 0x24:
        mark, rest = data[3] | 0x80, data[4:]
    else:
        mark, rest = data[2], data[3:]
    return bytes([mark]) + rest.removeprefix(b"\x0e")


for name, parent in CODECS:
    rows, twos = explore(name)
    write_trie(name, rows, twos, parent)
    guess = inverse(rows)
    exceptions = []
    for code in [*range(0x80), *CODES]:
        data = encoded(name, code)
        # Those of four and eight bytes are computed.
        if len(data) > 3:
            data = b""
        if data != guess.get(code, b""):
            exceptions.append((code, data))
    write_exceptions(exceptions)
    for n, text in enumerate(twos):
        if text.encode(name).decode(name) != text:
            raise SystemExit(f"{name}: {text!r}")
    print(name, len(rows), len(twos), len(exceptions), len(out), file=sys.stderr)

# The characters of GB 18030's sequences of four bytes: runs of places and codes.
linear = []
for code in [c for c in CODES if c < 0x10000]:
    b = chr(code).encode("gb18030")
    if len(b) == 4:
        linear.append((((b[0] - 0x81) * 10 + b[1] - 0x30) * 1260 + (b[2] - 0x81) * 10 + b[3] - 0x30, code))
runs = []
for place, code in sorted(linear):
    if runs and runs[-1][0] + runs[-1][2] == place and runs[-1][1] + runs[-1][2] == code:
        runs[-1][2] += 1
    else:
        runs.append([place, code, 1])
varint(len(runs))
for run in runs:
    for n in run:
        varint(n)

for name, encoding, escape, parent in GRIDS:
    inner = range(0x21, 0x7F)
    rows, twos = {b"": [ROW if b in inner else ILLEGAL + 1 for b in range(256)]}, []
    for lead in inner:
        row = []
        for trail in range(256):
            value, text = probe(encoding, escape, bytes([lead, trail])) if trail in inner else (ILLEGAL + 1, None)
            if value == TWO:
                value = TWO + len(twos)
                twos.append(text)
            row.append(value)
        rows[bytes([lead])] = row
    if parent and ":" not in parent:
        parent = "euc:" + parent
    write_trie(name, rows, twos, parent)
    print(name, len(twos), len(out), file=sys.stderr)

for name, sets in ISO2022:
    guess = {}
    for grid, mark in sets:
        for code, data in inverse(tries[grid]).items():
            guess.setdefault(code, bytes([mark]) + data)
    exceptions = []
    for code in CODES:
        data = designated(name, code)
        if data != guess.get(code, b""):
            exceptions.append((code, data))
    write_exceptions(exceptions)
    print(name, len(exceptions), len(out), file=sys.stderr)

with open(sys.argv[1], "wb") as file:
    file.write(zlib.compress(bytes(out), 9))
