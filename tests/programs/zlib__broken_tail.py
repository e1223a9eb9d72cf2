"""The flush of a decompressor gives what can be read of broken data."""
import zlib

data = bytearray(zlib.compress(b"hello hello hello" * 5))
data[-1] ^= 1
d = zlib.decompressobj()
print(d.decompress(data, 10), d.eof, d.unconsumed_tail != b"")
print(d.flush(), d.eof)
d = zlib.decompressobj()
try:
    d.decompress(data)
except zlib.error as e:
    print(e)
