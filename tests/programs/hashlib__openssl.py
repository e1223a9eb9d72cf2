# _hashlib: hashes by name, HMAC, pbkdf2_hmac, scrypt, their errors.
import _hashlib
import hashlib
import hmac


def show(f, *args, **kwargs):
    try:
        value = f(*args, **kwargs)
    except Exception as error:
        # The text of the classes that OpenSSL itself words is not compared.
        value = type(error).__name__
    print(value.hex() if isinstance(value, bytes) else value)


for name in sorted(set(_hashlib.openssl_md_meth_names) - {"md5-sha1", "shake_128", "shake_256", "blake2b", "blake2s"}):
    h = hashlib.new(name, b"abc")
    print(name, h.name, h.digest_size, h.block_size, h.hexdigest())
for name in ("SHA256", "sha512-256", "RIPEMD160", "blake2b512", "SHA3-256"):
    show(lambda: hashlib.new(name, b"abc").hexdigest())
for name in ("shake_128", "shake_256"):
    h = hashlib.new(name, b"abc")
    print(h.name, h.digest_size, h.block_size, h.hexdigest(20), h.copy().digest(3), type(h).__mro__)
for name in ("nonesuch", "", "sha-1024"):
    show(hashlib.new, name)
print(hashlib.sha256, type(hashlib.sha256()), hashlib.sha256.__name__)

h = hashlib.sha256(b"a")
other = h.copy()
other.update(b"b" * 100_000)
h.update(bytearray(b"b" * 100_000))
print(h.hexdigest() == other.hexdigest(), h.digest() != hashlib.sha256(b"ab").digest())
show(hashlib.sha256, "text")
show(h.update, 1)
show(type(h))
print(hashlib.md5(b"", usedforsecurity=False).hexdigest(), hashlib.sha1(b"x", usedforsecurity=True).hexdigest())

for key in (b"", b"key", b"k" * 64, b"k" * 65, b"k" * 200):
    for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2s", "sm3"):
        a = hmac.new(key, b"message", name)
        print(name, a.name, a.digest_size, a.block_size, a.hexdigest(), hmac.digest(key, b"message", name) == a.digest())
a = hmac.new(b"key", digestmod=hashlib.sha256)
b = a.copy()
a.update(b"one")
a.update(memoryview(b"two"))
b.update(b"onetwo")
print(hmac.compare_digest(a.digest(), b.digest()), hmac.compare_digest("a", "b"), type(a._hmac))
show(hmac.new, b"key", b"", "nonesuch")
show(hmac.new, b"key", b"")
show(_hashlib.hmac_new, b"key", b"", len)
show(_hashlib.hmac_digest, b"key", b"", "nonesuch")
print(_hashlib.UnsupportedDigestmodError.__mro__)

pbkdf2 = hashlib.pbkdf2_hmac
for args in (("sha1", b"password", b"salt", 1), ("sha256", b"password", b"salt", 4096), ("sha512", b"pass\0word", b"sa\0lt", 100, 16),
             ("md5", b"", b"", 3, 70), ("sha3_512", b"p", b"s", 5), ("blake2b512", b"p", b"s", 5, 100), ("blake2s256", b"p" * 200, b"s", 5),
             ("nonesuch", b"p", b"s", 1), ("sha1", b"p", b"s", 0), ("sha1", b"p", b"s", 1, 0), ("sha1", b"p", b"s", 1 << 31), ("sha1", "p", b"s", 1),
             ("sha1", b"p", b"s", 1, -1), ("sha1", b"p", b"s", 1, None), ("shake_128", b"p", b"s", 1), (b"sha1", b"p", b"s", 1)):
    show(pbkdf2, *args)

scrypt = hashlib.scrypt
show(scrypt, b"", salt=b"", n=16, r=1, p=1)
show(scrypt, b"password", salt=b"NaCl", n=1024, r=8, p=16)
show(scrypt, b"password", salt=b"NaCl", n=16, r=8, p=1, dklen=100)
show(scrypt, b"password", salt=b"NaCl", n=16, r=8, p=1, dklen=5)
for kwargs in ({"n": 3, "r": 8, "p": 1}, {"n": 1 << 20, "r": 8, "p": 1}, {"n": 16, "r": 8, "p": 1, "maxmem": -1}, {"n": 16, "r": 8, "p": 1, "dklen": 0}, {"n": 16, "r": 8, "p": 1, "dklen": -1},
               {"n": 0, "r": 8, "p": 1}, {"n": 16, "r": 0, "p": 1}, {"n": 1 << 15, "r": 8, "p": 1, "maxmem": 1 << 26}):
    show(scrypt, b"password", salt=b"NaCl", **kwargs)
show(scrypt, b"password", n=16, r=8, p=1)
show(scrypt, "password", salt=b"NaCl", n=16, r=8, p=1)
