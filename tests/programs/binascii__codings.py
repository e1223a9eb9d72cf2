import binascii as b


def t(f, *a, **k):
    try:
        print(f.__name__, a, k, f(*a, **k))
    except Exception as e:
        print(f.__name__, a, k, type(e).__name__, e)


for x in ("abc", "zz", "é0", 5, "0aFF"):
    t(b.a2b_hex, x)
for x in (b"=YQ==", b"YQ==x", b"Y=Q=", b"YQ==\n", b"Y\nQ==", b"YQ===", b"YQ=x=", b"====", b"Y", b"YQ", b"YWJj=",
          b"YWJjYQ=x", b"YQ= =", b"YWJj==", b"ab=c=", b"a=b==", b"YWJjZA", b"YQ==\nYg==", b"YWJjZ"):
    t(b.a2b_base64, x, strict_mode=True)
    t(b.a2b_base64, x)
t(b.b2a_base64, b"abc", newline=False)
t(b.b2a_base64, bytes(range(256)))
t(b.b2a_hex, b"abcd", "-", 2)
t(b.b2a_hex, b"abcd", "--")
t(b.b2a_hex, b"abcd", b":", -3)
t(b.a2b_uu, b"#86)C\n")
t(b.a2b_uu, b"!")
t(b.a2b_uu, b"#86)C  x\n")
t(b.a2b_uu, b"#86\x7f")
t(b.a2b_uu, b"")
t(b.b2a_uu, b"a" * 46)
t(b.b2a_uu, b"abc\0\0")
t(b.b2a_uu, b"abc\0\0", backtick=True)
t(b.a2b_qp, b"a=3Db=\n c_=", header=True)
t(b.a2b_qp, b"a=\r\nb=zz=")
t(b.b2a_qp, b"a b \t\n.\n=\xff" * 3, quotetabs=True, istext=False, header=True)
t(b.b2a_qp, b"x" * 100 + b" \r\ny.\n.\n")
t(b.crc_hqx, b"abc", 0)
t(b.crc32, b"abc", -1)
t(b.crc32, b"abc", 1 << 40)
print(b.Error.__mro__, b.Incomplete.__mro__)
