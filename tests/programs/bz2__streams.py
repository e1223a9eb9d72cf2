import bz2
import _bz2


def t(f, *a):
    try:
        print(f.__name__, a, f(*a))
    except Exception as e:
        print(f.__name__, a, type(e).__name__, e)


C=_bz2.BZ2Compressor; D=_bz2.BZ2Decompressor
t(C,0);t(C,10);c=C();print(c.compress(b'a'));x=c.flush();t(c.flush);t(c.compress,b'a');d=D();t(d.decompress,x+b'tail');print(d.eof,d.unused_data,d.needs_input);t(d.decompress,b'');d=D();t(d.decompress,b'garbage!')
print(bz2.decompress(bz2.compress(b'abc'*100000))==b'abc'*100000, bz2.decompress(bz2.compress(b'a')+bz2.compress(b'b')))

# A decompressor that has failed is asked again, and again.
good = bz2.compress(bytes(range(256)) * 40)
failed = 0
for at in range(4, len(good), 3):
    for bit in range(8):
        bad = bytearray(good)
        bad[at] ^= 1 << bit
        decompressor = bz2.BZ2Decompressor()
        for n, more in enumerate((bytes(bad), b"", good, b"x" * 50)):
            try:
                decompressor.decompress(more, 100 if bit else -1)
            except (OSError, EOFError, RuntimeError):
                failed += n == 0
print(failed > 100)
