# lzma: containers, filters, pieces, limits, damage, threads.
import io
import lzma
import threading

data = b"".join(b"line %d\n" % (n * n) for n in range(3000))
for options in ({}, {"format": lzma.FORMAT_ALONE}, {"check": lzma.CHECK_SHA256}, {"preset": 9 | lzma.PRESET_EXTREME},
                {"filters": [{"id": lzma.FILTER_DELTA, "dist": 5}, {"id": lzma.FILTER_LZMA2, "preset": 1}]}):
    packed = lzma.compress(data, **options)
    print(options, lzma.decompress(packed) == data, len(packed) < len(data))
raw = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
packed = lzma.compress(data, format=lzma.FORMAT_RAW, filters=raw)
print(lzma.decompress(packed, format=lzma.FORMAT_RAW, filters=raw) == data)

packed = lzma.compress(data) + lzma.compress(b"more")
print(lzma.decompress(packed) == data + b"more")
one = lzma.LZMADecompressor()
out = b""
feed = iter(packed[i:i + 7] for i in range(0, len(packed), 7))
while not one.eof:
    out += one.decompress(next(feed) if one.needs_input else b"", max_length=100)
print(out == data, one.check, one.eof, one.needs_input, one.unused_data[:6])
try:
    one.decompress(b"")
except EOFError as error:
    print(error)

compressor = lzma.LZMACompressor()
print(lzma.decompress(compressor.compress(b"a") + compressor.compress(b"b") + compressor.flush()))
for bad in (lambda: compressor.flush(), lambda: compressor.compress(b""), lambda: lzma.decompress(b"nonsense"),
            lambda: lzma.decompress(packed[:50]), lambda: lzma.decompress(packed, memlimit=100),
            lambda: lzma.decompress(packed[:100] + b"x" + packed[101:]), lambda: lzma.compress(b"", preset=99),
            lambda: lzma.compress(b"", filters=[{"id": 77}]), lambda: lzma.compress(b"", filters=[{}]),
            lambda: lzma.compress(b"", filters=[{"id": lzma.FILTER_LZMA2, "x": 1}]), lambda: lzma.compress(b"", filters=[1]),
            lambda: lzma.compress(b"", format=lzma.FORMAT_RAW), lambda: lzma.compress(b"", format=99),
            lambda: lzma.compress("text"), lambda: lzma.LZMADecompressor(format=lzma.FORMAT_RAW)):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, error)
properties = lzma._encode_filter_properties({"id": lzma.FILTER_LZMA1, "lc": 1})
print(properties, lzma._decode_filter_properties(lzma.FILTER_LZMA1, properties))

with lzma.open(file := io.BytesIO(), "wt") as f:
    f.write("text\n" * 3)
file.seek(0)
print(lzma.open(file, "rt").readlines())

shared = lzma.LZMACompressor()
pieces = []
threads = [threading.Thread(target=lambda: pieces.append(shared.compress(data))) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(pieces))
