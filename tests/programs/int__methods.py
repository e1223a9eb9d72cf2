# Constructors, conversions and methods of int and bool.
def attempt(f, *args, **kw):
    try:
        return f(*args, **kw)
    except (ValueError, OverflowError, TypeError) as e:
        return f"{type(e).__name__}: {e}"


for text in ["0", "-0", "+7", "  42\n", "1_000", "1__0", "_1", "1_", "", " ", "- 1", "0x10", "0b1", "07", "00", "1.0", "٣٤", "１２", "1 2", "\x001", "1\x00", "x" * 10]:
    print(ascii(text), attempt(int, text), attempt(int, text, 0), attempt(int, text, 16), attempt(int, text, 36))
for text, base in [("0x_f", 16), ("0x_f", 0), ("0X1f", 0), ("0o17", 0), ("0O17", 8), ("0b101", 0), ("-0b101", 2), ("zz", 36), ("9", 8), ("012", 0), ("0_0", 0), ("0b", 2), ("0x", 16), ("f", 16), ("1", 1), ("1", 37), ("1", -1), ("ff" * 40, 16), ("1" * 100, 2), ("z" * 30, 36)]:
    print(text, base, attempt(int, text, base), attempt(int, text.encode(), base))
print(int(), int(3.99), int(-3.99), int(1e20), int(b" 12 "), int(bytearray(b"-7")), attempt(int, b"1x"))
print(attempt(int, None), attempt(int, []), attempt(int, 5, 10), attempt(int, base=10), attempt(int, x=5), attempt(int, "5", 10, 3), attempt(int, "5", foo=1), attempt(int, "10", base=2))
print(attempt(int, float("nan")), attempt(int, float("inf")), attempt(int, "1" * 5000), attempt(str, 10**5000), len(str(10**4299)))


class I:
    def __init__(self, value):
        self.value = value

    def __int__(self):
        return self.value


class X:
    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


print(int(I(5)), attempt(int, I(1.5)), int(X(7)), attempt(int, X("7")), int("11", X(2)), attempt(int, "1", I(2)))

for n in [0, 1, 127, 128, 255, 256, -1, -128, -129, 65535, 2**63, -(2**63), 2**64, -(2**64), 10**25, -(10**25)]:
    for signed in (False, True):
        for length in (0, 1, 2, 8, 9, 16):
            big = attempt(n.to_bytes, length, "big", signed=signed)
            little = attempt(n.to_bytes, length, "little", signed=signed)
            print(n, signed, length, big, little)
            if isinstance(big, bytes) and length:
                assert int.from_bytes(big, "big", signed=signed) == n and int.from_bytes(little, "little", signed=signed) == n
print((5).to_bytes(), attempt((5).to_bytes, -1), attempt((5).to_bytes, 1, "up"), attempt((5).to_bytes, "a"), attempt((300).to_bytes))
print(int.from_bytes([1, 2, 3]), int.from_bytes(b""), int.from_bytes(bytearray(b"\xff\x00"), "little", signed=True), attempt(int.from_bytes, [256]), attempt(int.from_bytes, "ab"), attempt(int.from_bytes, 5), attempt(int.from_bytes, b"a", "up"))


class Sub(int):
    pass


print(type(Sub.from_bytes(b"\x05")), Sub.from_bytes(b"\x05"), type(Sub(5).__int__()), type(Sub(5).real), type(Sub(5) + 0))
for n in [0, 5, 15, 25, 35, 44, 45, 46, -5, -15, -25, 149, 150, 151, 250, 12345678901234567890, 10**30 + 5 * 10**9]:
    print(n, round(n), [round(n, -k) for k in (0, 1, 2, 3, 10, 19, 20, 40)], round(n, 5), n.as_integer_ratio(), n.is_integer(), n.numerator, n.denominator, n.real, n.imag, n.conjugate())
print(attempt((1).__round__, "a"), (7).__trunc__(), (7).__floor__(), (7).__ceil__(), (7).__getnewargs__(), (2**70).__getnewargs__(), (0).__sizeof__(), (2**30).__sizeof__(), (2**60).__sizeof__())
print((5).__bool__(), (5).__index__(), (5).__float__(), (5).__hash__(), (-1).__hash__(), hash(2**61 - 1), hash(2**61), hash(-(2**61)), hash(2**200), hash(-(10**50)))
print(bool(), bool([]), bool("x"), bool(0.0), attempt(bool, 1, 2), attempt(bool, x=1), True.real, True.numerator, type(True.conjugate()), True.to_bytes(), bool.from_bytes(b"\x00"), bool.from_bytes(b"\x02"))
print(repr(2**100), str(-(2**63)), "%d" % 2**40, f"{2**70}")
try:
    class NoBool(bool):
        pass
except TypeError as e:
    print(e)
print(int.__mro__, bool.__mro__, bool.__base__, issubclass(bool, int), isinstance(True, int))
