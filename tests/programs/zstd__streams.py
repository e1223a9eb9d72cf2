# compression.zstd (new in 3.14): frames, parameters, dictionaries, pieces, damage.
import io
from compression import zstd

data = b"".join(b"line %d\n" % (n * n) for n in range(3000))
packed = zstd.compress(data)
print(zstd.decompress(packed + zstd.compress(b"more")) == data + b"more", zstd.get_frame_size(packed) == len(packed))
print(zstd.get_frame_info(packed))
print(zstd.CompressionParameter.strategy.bounds(), zstd.DecompressionParameter.window_log_max.bounds())
options = {zstd.CompressionParameter.checksum_flag: 1, zstd.CompressionParameter.compression_level: 19}
print(zstd.decompress(zstd.compress(data, options=options)) == data)

one = zstd.ZstdDecompressor()
out = b""
feed = iter(packed[i:i + 7] for i in range(0, len(packed), 7))
while not one.eof:
    out += one.decompress(next(feed) if one.needs_input else b"", max_length=100)
print(out == data, one.eof, one.needs_input, one.unused_data)

compressor = zstd.ZstdCompressor(level=3)
parts = compressor.compress(b"a"), compressor.flush(compressor.FLUSH_BLOCK), compressor.compress(b"b", compressor.FLUSH_FRAME)
print(zstd.decompress(b"".join(parts)), compressor.last_mode == compressor.FLUSH_FRAME)
compressor.set_pledged_input_size(1)
print(zstd.get_frame_info(compressor.compress(b"x", compressor.FLUSH_FRAME)))

samples = [b'{"name": "%d", "value": %d}' % (n, n * n) for n in range(3000)]
trained = zstd.train_dict(samples, 4000)
for form in trained, trained.as_digested_dict, trained.as_undigested_dict:
    print(zstd.decompress(zstd.compress(samples[7], zstd_dict=form), zstd_dict=trained) == samples[7])
print(zstd.decompress(zstd.compress(samples[7], zstd_dict=trained.as_prefix), zstd_dict=trained.as_prefix) == samples[7])

for bad in (lambda: one.decompress(b""), lambda: zstd.decompress(packed[:-1]), lambda: zstd.decompress(b"nonsense"),
            lambda: zstd.compress(b"", level=100), lambda: zstd.compress(b"", level=1, options={}),
            lambda: zstd.compress(b"", options={1: 1}), lambda: zstd.compress(b"", options={zstd.CompressionParameter.strategy: 99}),
            lambda: zstd.ZstdDict(b"short"), lambda: zstd.ZstdDict(b"no dictionary"), lambda: zstd.compress(b"", zstd_dict=1),
            lambda: zstd.decompress(zstd.compress(samples[0], zstd_dict=trained)), lambda: zstd.get_frame_info(b"12345678")):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__)

with zstd.open(file := io.BytesIO(), "wt") as f:
    f.write("text\n" * 3)
file.seek(0)
print(zstd.open(file, "rt").readlines())
