# Constructors, conversions and methods of float.
inf, nan = float("inf"), float("nan")


def attempt(f, *args, **kw):
    try:
        return f(*args, **kw)
    except (ValueError, OverflowError, TypeError) as e:
        return f"{type(e).__name__}: {e}"


for text in ["0", "-0", "1.5", ".5", "5.", "  1e3\t", "1E-5", "1_000.5_5", "1__0", "_1", "1_", "1_.5", "", " ", "nan", "-NaN", "INF", "+Infinity", "-infinity", "infin", "1e", "1e+", "e5", ".", "0x1p3", "1e400", "-1e400", "1e-400", "٣.٤", "1.5\x00", "1 5", "++1", "179769313486231580793728971405301e276", "2.4703282292062327208e-324", "2.4703282292062328e-324", "9007199254740993", "0.1e1_0"]:
    print(ascii(text), attempt(float, text), attempt(float, text.encode()))
print(float(), float(5), float(True), float(10**20), float(b"1.5"), float(bytearray(b"2")), attempt(float, None), attempt(float, []), attempt(float, "1", 2), attempt(float, x=1), attempt(float, 10**400))


class F:
    def __init__(self, value):
        self.value = value

    def __float__(self):
        return self.value


class X:
    def __index__(self):
        return 7


print(float(F(1.5)), attempt(float, F(1)), float(X()))

REPRS = [0.1, 1e15, 1e16, 123456789012345678.0, 1e-4, 1e-5, 0.00012345, 1e22, 1e23, 5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 100.0, 1e5, 12345.678, -0.0, inf, -inf, nan, 1 / 3, 2 / 3, 4.35, 1e-7, 9007199254740993.0, 1186851129859294.25, 1033443741855945.25, 4503599627370497.5, 2251799813685249.75]
for x in REPRS:
    print(repr(x), str(x), [x], (-x).__repr__(), x.hex(), attempt(x.as_integer_ratio), x.is_integer(), x.real, x.imag, x.conjugate(), x.__getnewargs__())
    print(attempt(int, x), attempt(x.__floor__), attempt(x.__ceil__), attempt(x.__trunc__), attempt(round, x), [attempt(round, x, n) for n in (0, 1, 2, 5, 15, 17, 400, -1, -2, -15, -308, -400)])
for x in (0.5, 1.5, 2.5, -0.5, -2.5, 2.675, 1.005, 0.125, 0.375, 25.0, 35.0, 150.0, 5e15 + 0.5, 1e300, 1.7e308, 55.55, -1234.5678):
    print(x, round(x), [round(x, n) for n in (0, 1, 2, 3, -1, -2, -3)])
print(attempt(round, 1.7e308, -308), attempt(round, 1.0, "a"), attempt(round, nan), attempt(round, inf), round(nan, 2), round(inf, 2), round(-0.4), round(-0.0, 3))

for text in ["0x1p0", "0x.8", "-0x1.8p1", "1.8", "0x1.fffffffffffff8p0", "0x1.fffffffffffff7p0", "0x1p-1074", "0x1p-1075", "0x1.8p-1074", "0x1.0000000000001p-1075", "0x1p1024", "-0x1p1024", "inf", "-Infinity", "nan", "  0x1  ", "0x", "0x1p", "0x1.p5", "1p+3", "0xg", "", ".", "0x0p999999999", "0x1p-99999999999", "0x123456789abcdefp-4", "0x1.8000000000000800p0", "0X1P3", "1__0"]:
    print(text, attempt(float.fromhex, text))
print(attempt(float.fromhex, 5), float.__getformat__("double"), float.__getformat__("float"), attempt(float.__getformat__, "x"))


class Sub(float):
    pass


print(type(Sub.fromhex("0x1p1")), float.__mro__, (1.5).__int__(), (1.5).__bool__(), (0.0).__bool__(), (1.5).__float__())
x = nan
print(float(x) is x, +x is x)
