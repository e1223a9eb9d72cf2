# Arithmetic of int over the border of the immediate representation, bool and subclasses.
EDGES = [0, 1, -1, 2, 3, -7, 10, 2**31, 2**53 + 1, 2**61 - 1, 2**62 - 1, 2**62, -(2**62), -(2**62) - 1,
         2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 2**64 - 1, -(2**64), 10**30, -(10**30), 2**200 + 12345]


def attempt(f, *args):
    try:
        return f(*args)
    except ZeroDivisionError:
        return "ZeroDivisionError"
    except (ValueError, OverflowError, TypeError) as e:
        return f"{type(e).__name__}: {e}"


for a in EDGES:
    for b in EDGES:
        print(a, b, a + b, a - b, a * b, a & b, a | b, a ^ b)
        print(attempt(divmod, a, b), attempt(lambda: a // b), attempt(lambda: a % b), attempt(lambda: a / b))
        print(a < b, a <= b, a == b, a != b, a > b, a >= b)
    print(-a, +a, ~a, abs(a), bool(a), hash(a), float(a), a.bit_length(), a.bit_count())
    for n in (0, 1, 5, 62, 63, 64, 200):
        print(n, a << n, a >> n)
    print(attempt(lambda: a << -1), attempt(lambda: a >> -1), a >> 2**70, attempt(lambda: a ** 3), attempt(lambda: a ** -1))

for base in (2, 3, -2, 10, 0, 1, -1, 7**40):
    for exponent in (0, 1, 2, 3, 10, 63, 64, 65):
        print(base, exponent, base ** exponent, pow(base, exponent, 97), pow(base, exponent, -97), pow(base, exponent, 2**70 + 1))
for args in [(3, -1, 7), (2, -3, 11), (2, -1, 4), (0, -1, 5), (5, -1, 1), (5, 3, 0), (10**40, -5, 10**9 + 7), (3, -1, -7), (2, 5, 1), (7, 10**20, 13)]:
    print(args, attempt(pow, *args))
print(attempt(pow, 2, 3, 1.0), attempt(pow, 2.0, 3, 5))

print(True + True, True - 1, True * 3, -True, ~1, True & False, True | False, True ^ True, True & 3, 2 | True)
print(True / 2, True // 2, True << 3, True ** 2, True == 1, True < 2, hash(True), repr(True), str(False), int(True))


class Sub(int):
    def __repr__(self):
        return f"Sub({int(self)})"


x, y = Sub(5), Sub(2**70)
for value in (x + 1, 1 + x, x * x, -x, +x, abs(x), x // 2, y + 1, y - y, x.real, x.conjugate(), int(x), y >> 60, round(y)):
    print(type(value).__name__, value)
print(x == 5, hash(x) == hash(5), {5: "five"}[x], Sub(True), Sub("12"), Sub("z", 36))


class Reflected(int):
    def __radd__(self, other):
        return ("radd", int(other))


print(1 + Reflected(2), Reflected(2) + 1)
print((2**100).__add__("x"), (1).__lt__(2.0), (5).__rsub__(10), (5).__rpow__(2), (7).__rdivmod__(50))
print((10**400) / (10**399), (10**400 + 1) / 3**800, attempt(lambda: 10**400 / 3), 1 / 3**700, (2**1074) / (2**2148), 1 / 2**1075)
print(10**22 / 7, (2**53 + 1) / 1, (2**54 + 2) / 2, -(2**64) / 3, attempt(float, 10**309), float(2**1023), float(-(2**53) - 1))
