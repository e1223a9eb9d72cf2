# complex: constructors, arithmetic, comparison, methods.
inf, nan = float("inf"), float("nan")


def attempt(f, *args, **kw):
    try:
        return f(*args, **kw)
    except ZeroDivisionError:
        return "ZeroDivisionError"
    except (ValueError, OverflowError, TypeError) as e:
        return f"{type(e).__name__}: {e}"


for text in ["1", "1j", "1+2j", "-1-2j", "(1+2j)", " ( 1+2j ) ", "j", "-j", "+j", "1+j", "1e3+1e-3j", "inf+nanj", "nan", "-infj", "1+2", "1j+2", "", "()", "(1", "1 + 2j", "1_0+2_0j", "1__0j", "1e", "1+1e", "J", "0x1", "1.5.2", "infinityj", "٣j"]:
    print(ascii(text), attempt(complex, text))
print(complex(), complex(1), complex(1.5, 2), complex(imag=3), complex(real=2), complex(1j), complex(True, False), attempt(complex, 1, 2, 3), attempt(complex, foo=1))


class C:
    def __complex__(self):
        return 3 + 4j


class F:
    def __float__(self):
        return 2.5


class X:
    def __index__(self):
        return 7


print(complex(C()), complex(F()), complex(X()), complex(F(), X()))
VALUES = [0j, 1 + 2j, -1.5 - 0.5j, 3 + 0j, 1e200 + 1e200j, -0.0 + 0j, 2j]
for a in VALUES:
    for b in VALUES + [2, -0.5, True, 10**20]:
        print(a, b, a + b, a - b, b - a, a * b, attempt(lambda: a / b), attempt(lambda: b / a), a == b, a != b)
    for n in (0, 1, 2, 3, -1, 0.5, 1j, 2 + 1j):
        result = attempt(lambda: a ** n)
        print(n, result if not isinstance(result, complex) else f"{result:.10g}")
    print(-a, +a, abs(a), bool(a), hash(a), a.real, a.imag, a.conjugate(), a.__getnewargs__(), a.__complex__())
print(attempt(lambda: 1j < 2), attempt(lambda: 1j // 2), attempt(lambda: 1j % 2), attempt(pow, 1j, 2, 3), attempt(divmod, 1j, 2), attempt(int, 1j), attempt(float, 1j))
for z in [complex(nan, 1), complex(inf, -inf), complex(-0.0, -0.0), complex(0, -0.0), complex(-0.0, 1), complex(1, nan), complex(1e16, 1e-5), complex(1.0, -inf)]:
    print(repr(z), str(z), z == z, abs(z))
print(1j == 1j, 1 + 0j == 1, hash(1 + 0j) == hash(1), 1 + 0j == 1.0, 2**53 + 1 == complex(2**53), {1 + 0j: "x"}[1], attempt(abs, 1.5e308 + 1.5e308j))


class Sub(complex):
    pass


for value in (Sub(1, 2) + 1, -Sub(1), +Sub(1), Sub("1j"), Sub(1j).conjugate(), complex(Sub(1, 2))):
    print(type(value).__name__, value)
for spec in ["", ".2f", "10.3e", ">20", "<20", "^20.1f", "+.1f", ",.2f", ".3", "g", "G", "E", "*^30.2g"]:
    print(repr(format(1234.5 - 0.25j, spec)), repr(format(1e20j, spec)))
print(attempt(format, 1j, "d"), attempt(format, 1j, "05"), attempt(format, 1j, "=5"))
