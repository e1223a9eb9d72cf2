# Arithmetic, comparison and hash of float, also against int.
inf, nan = float("inf"), float("nan")
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -7.25, 1e-310, 5e-324, 1e16, 2.0**53, 2.0**62, -(2.0**63), 1.7976931348623157e308, 1e-300, 1e77, 1e-77, inf, -inf, nan]


def attempt(f, *args):
    try:
        return f(*args)
    except ZeroDivisionError:
        return "ZeroDivisionError"
    except (ValueError, OverflowError, TypeError) as e:
        return f"{type(e).__name__}: {e}"


for a in EDGES:
    for b in EDGES:
        print(a, b, a + b, a - b, a * b, attempt(lambda: a / b), attempt(lambda: a // b), attempt(lambda: a % b), attempt(divmod, a, b))
        print(a < b, a <= b, a == b, a != b, a > b, a >= b)
        power = attempt(lambda: a ** b)
        if not isinstance(power, complex):
            print(power)
    print(-a, +a, abs(a), bool(a))
    if a == a:
        print(hash(a))

INTS = [0, 1, -7, 2**53, 2**53 + 1, 2**62, 2**63, 2**63 + 1, -(2**63), 10**20, 2**1024, -(2**1024)]
for n in INTS:
    for x in EDGES:
        print(n, x, n < x, n <= x, n == x, n > x, x < n, x >= n, x != n)
    for x in (2.0**53, 2.0**53 + 2, 2.0**63, 1e20, 1.5):
        print(attempt(lambda: n + x), attempt(lambda: x - n), attempt(lambda: n * x), attempt(lambda: n / x), attempt(lambda: x // n), attempt(lambda: x % n))
print(2.0**53 == 2**53 + 1, 2**53 + 1 > 2.0**53, 1e22 == 10**22, 1e23 == 10**23, 0.1 + 0.2 == 0.3, 3 == 3.0, True == 1.0, hash(1.0) == hash(1))
print((-8) ** (1 / 3), (-8.0) ** 0.5, (-1) ** 0.5, 2**-2, 2.0**0.5, attempt(lambda: 10.0**400), attempt(lambda: 0.0**-1), attempt(lambda: 0**-1))
for x in (0.1, 0.5, 1e100, 2.0**61, -2.0**61, 1 / 3, 5e-324, 1.7976931348623157e308, -2.5, 2.0**61 - 1, -1.0):
    print(x, hash(x))
print(inf is not nan, nan != nan, [nan] == [nan], nan in [nan], hash(inf), hash(-inf))


class Sub(float):
    pass


for value in (Sub(1.5) + 1, -Sub(1.5), +Sub(1.5), abs(Sub(-1.5)), Sub(1.5).real, Sub(1.5).conjugate(), float(Sub(1.5)), Sub(7) // 2, Sub("1e3"), Sub(inf)):
    print(type(value).__name__, value)
print((1.5).__add__("x"), (1.5).__radd__(1), (1.5).__eq__("x"), (2.0).__rpow__(3), (2.0).__rdivmod__(7), (2.0).__pow__(3, None))
