import zlib
def t(f,*a,**k):
    try: print(getattr(f,'__name__',f),a,k, f(*a,**k))
    except Exception as e: print(getattr(f,'__name__',f),a,k, type(e).__name__, e)
def comp(*a): return zlib.decompress(zlib.compress(*a), *( [a[2]] if len(a)>2 else []))
t(zlib.compress,b'a',6,99);t(zlib.compress,'a');t(zlib.decompress,b'');t(zlib.decompress,b'x\x9c');t(zlib.decompress,b'abcd');t(zlib.decompress,zlib.compress(b'abc')[:-1]);t(zlib.decompress,zlib.compress(b'a'),bufsize=0);t(zlib.decompress,zlib.compress(b'a'),bufsize=-1);t(zlib.decompress,b'a',99);t(zlib.decompress,b'x\x9cK\x04\x00\x00b\x00bzz')
t(comp,b'abc'*100000,9,31); t(comp,b'abc'*10,9,-15)
t(zlib.compressobj,99);t(zlib.compressobj,6,9);t(zlib.compressobj,6,8,99);t(zlib.decompressobj,99);t(zlib.compressobj,zdict=5);t(zlib.decompressobj,zdict=5)
c=zlib.compressobj(); t(c.flush,99); print(c.flush()); t(c.compress,b'a'); t(c.flush); t(c.copy)
d=zlib.decompressobj(); x=b'x\x9cKLJN\x1cE\xc4!\x00\x88Mr\xd9'; t(d.decompress,x,-1); t(d.decompress,x,10); print(d.unused_data,d.eof); t(d.flush,0); print(d.flush(), d.eof); print(d.unused_data); t(d.copy); t(d.flush)
y=b"x\xbb\x02M\x01'K\x04#\x00\x08\x0c\x02M"; d=zlib.decompressobj(); t(d.decompress,y); d=zlib.decompressobj(zdict=b'abc'); t(d.decompress,y); d=zlib.decompressobj(zdict=b'abd'); t(d.decompress,y)
z=zlib._ZlibDecompressor(); print(z.decompress(x+b'tail',5),z.eof,z.unused_data); print(z.decompress(b'')[:5], z.eof,z.unused_data,z.needs_input); t(z.decompress,b'')
print(type(c),zlib._ZlibDecompressor.__module__); t(type(c)); print(zlib.crc32(b'a',-1),zlib.adler32(b'a',1<<33),zlib.adler32(b''),zlib.crc32(b'abc'))
c=zlib.compressobj(); a=c.compress(b'hello'); k=c.copy(); print(zlib.decompress(a+c.compress(b'x')+c.flush()), zlib.decompress(a+k.compress(b'yy')+k.flush()))
