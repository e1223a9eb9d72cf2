"""Base64 of all lengths, broken base64, and keys of JSON objects."""
import base64, binascii, random, json
random.seed(3)
for n in list(range(0, 40)) + [1000, 3071]:
    d = random.randbytes(n)
    e = base64.b64encode(d)
    assert base64.b64decode(e) == d and binascii.a2b_base64(e, strict_mode=True) == d
    m = b'\n'.join(e[i:i+7] for i in range(0, len(e), 7))
    assert base64.b64decode(m) == d, n
    print(n, e[-6:], binascii.crc32(e))
for bad in (b'a', b'ab', b'abc', b'abcd=', b'ab=c', b'=abc', b'abcde', b'ab==cd', b'abcdabc', b'abcd====', b'ab\xffcd', 'abc=', b'abcdab==ab'):
    for strict in (False, True):
        try: print(bad, strict, binascii.a2b_base64(bad, strict_mode=strict))
        except Exception as x: print(bad, strict, type(x).__name__, x)
r = json.loads('[{"a":1,"b":{"a":2,"\\u00e9":3}},{"a":4,"\\u00e9":5,"":6,"\\ud800":7}]')
print(r, [k for k in r[0]][0] is [k for k in r[1]][0], json.loads('{"a":1,"a":2}'))
big = {str(i): i for i in range(3000)}
print(json.loads(json.dumps(big)) == big)
