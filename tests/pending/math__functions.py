# The math module: values, domains, integer functions, exact sums.
import math

inf, nan = math.inf, math.nan


def attempt(f, *args, **kw):
    try:
        return f(*args, **kw)
    except ZeroDivisionError:
        return "ZeroDivisionError"
    except (ValueError, OverflowError) as e:
        return type(e).__name__
    except TypeError as e:
        return f"TypeError: {e}"


print(math.pi, math.e, math.tau, math.inf, math.nan)
XS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 10.0, -3.5, 1e-10, 1e-300, 1e10, 170.5, 171.7, -170.5, 710.0, 1e308, 5e-324, inf, -inf, nan, 3, True, 10**30]
for name in "acos acosh asin asinh atan atanh cbrt ceil cos cosh degrees erf erfc exp exp2 expm1 fabs floor frexp gamma isfinite isinf isnan lgamma log log10 log1p log2 modf radians sin sinh sqrt tan tanh trunc ulp".split():
    for x in XS:
        print(name, x, attempt(getattr(math, name), x))
for name in "atan2 copysign fmod pow remainder hypot nextafter log isclose".split():
    for x in XS[:-3]:
        for y in (0.0, -0.0, 1.0, 2.0, -3.5, 0.1, inf, -inf, nan):
            print(name, x, y, attempt(getattr(math, name), x, y))
print(attempt(math.sqrt, "x"), attempt(math.sin), attempt(math.sin, 1, 2), attempt(math.log), attempt(math.log, 1, 2, 3), attempt(math.floor, "x"), attempt(math.trunc, "x"))
for n in (10**400, 2**5000, 3**3000, 10**309):
    print(math.log(n), math.log2(n), math.log10(n), math.log(n, 10), attempt(math.sqrt, n))
print(math.log(8, 2), attempt(math.log, 5, 1), attempt(math.log, 0), attempt(math.log, -1), math.log(1, 7))
for args in [(1.0, 5), (0.1, -1074), (1.0, 1024), (1.0, -1075), (1.5, 10**30), (1.5, -(10**30)), (0.0, 10**30), (inf, 5), (nan, 1), (5e-324, 2000)]:
    print("ldexp", args, attempt(math.ldexp, *args))
print(attempt(math.ldexp, 1.0, 1.0))
print([math.nextafter(1.0, 2.0, steps=n) for n in (0, 1, 10, 10**30)], math.nextafter(-5e-324, 1.0), math.nextafter(0.0, -1.0), attempt(math.nextafter, 1.0, 2.0, steps=-1))
for n in list(range(25)) + [50, 100, 170]:
    print("factorial", n, math.factorial(n), math.isqrt(n**5), math.comb(n, n // 3), math.perm(n, n // 2), math.perm(n))
print(math.isqrt(10**60), math.isqrt(2**64 - 1), math.isqrt(10**60 - 1), attempt(math.isqrt, -1), attempt(math.factorial, -1), attempt(math.factorial, 1.0), attempt(math.factorial, 10**30))
print(math.comb(10**30, 5), math.comb(200, 100), math.comb(5, 6), attempt(math.comb, -1, 1), attempt(math.comb, 1, -1), attempt(math.comb, 10**40, 10**20), math.perm(10**30, 3), math.perm(3, 5), attempt(math.perm, 3, -1))
print(math.gcd(), math.gcd(12), math.gcd(-12, 18), math.gcd(0, 0), math.gcd(10**40, 6**50, 2**30), math.lcm(), math.lcm(4, 6), math.lcm(-4, 6, 10**30), math.lcm(0, 5), attempt(math.gcd, 1.0), math.gcd(2**200 * 3**50, 2**100 * 3**70))
print(math.hypot(), math.hypot(3, 4), math.hypot(1, 1, 1, 1), math.hypot(1e308, 1e308), math.hypot(1e-310, 1e-310), math.hypot(inf, nan), math.hypot(nan, 1), math.hypot(-5.5))
print(math.dist((1, 2), (4, 6)), math.dist([], []), math.dist([1.5], (0,)), attempt(math.dist, (1,), (1, 2)), attempt(math.dist, 1, 2))
print(math.fsum([0.1] * 10), math.fsum([1e100, 1.0, -1e100]), math.fsum([]), math.fsum([inf, 1]), attempt(math.fsum, [inf, -inf]), attempt(math.fsum, [1e308, 1e308]), math.fsum([2**53, 1.0, 1e-100]), attempt(math.fsum, ["x"]))
print(math.prod([]), math.prod([1, 2, 3]), math.prod([1.5, 2]), math.prod([2] * 100), math.prod([1, 2], start=10), math.prod(["a"], start=3), math.prod([1e308, 10]))
print(math.sumprod([], []), math.sumprod([1, 2, 3], [4, 5, 6]), math.sumprod([10**20, 2], [10**20, 3]), math.sumprod([0.1] * 10, [1] * 10), math.sumprod([1e100, 1.0, -1e100], [1, 1, 1]), math.sumprod([1, 2.5], [2**62, 4]), math.sumprod([True, 2], [3, 4.5]), attempt(math.sumprod, [1], [1, 2]), math.sumprod([inf], [1.0]), math.sumprod([2**62, 2**62], [4, 4]))
print(math.fma(2.0, 3.0, 4.0), math.fma(1e308, 10.0, -inf), attempt(math.fma, 1e308, 10.0, 0.0), attempt(math.fma, inf, 0.0, 1.0), math.fma(0.1, 10.0, -1.0), math.fma(nan, 1, 1))
print(math.isclose(1.0, 1.0 + 1e-10), math.isclose(1.0, 1.1), math.isclose(0.0, 1e-12), math.isclose(0.0, 1e-12, abs_tol=1e-9), math.isclose(100, 101, rel_tol=0.02), attempt(math.isclose, 1, 2, rel_tol=-1), math.isclose(inf, inf), math.isclose(nan, nan))


class Whole:
    def __floor__(self):
        return "floor"

    def __ceil__(self):
        return "ceil"

    def __trunc__(self):
        return "trunc"

    def __float__(self):
        return 2.5


print(math.floor(Whole()), math.ceil(Whole()), math.trunc(Whole()), math.sqrt(Whole()), math.floor(2**70), math.ceil(-2.5), math.trunc(True))
