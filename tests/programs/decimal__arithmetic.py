# Operations on random numbers in random contexts; of many results the check sum is printed, of each operation some as they are.
import random
import zlib
from decimal import *

R = random.Random(20)
ONE = """abs minus plus exp ln log10 logb logical_invert next_minus next_plus normalize sqrt to_integral_exact
    to_integral_value number_class to_eng_string to_sci_string is_normal is_subnormal copy_abs""".split()
TWO = """compare compare_signal compare_total compare_total_mag copy_sign logical_and logical_or logical_xor max max_mag
    min min_mag next_toward remainder_near rotate scaleb shift quantize add subtract multiply divide divide_int remainder
    divmod same_quantum""".split()
ROUNDINGS = [ROUND_UP, ROUND_DOWN, ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_05UP]


def number():
    if R.random() < 0.02:
        return Decimal(R.choice(["NaN", "-NaN12", "sNaN", "Inf", "-Inf", "0", "-0", "0E+5", "-0E-10"]))
    count = R.choice([1, 2, 3, 9, 17, 19, 20, 28, 29, 38, 40, 57, 60, 100])
    digits = "".join(R.choice("0123456789" if R.random() < 0.5 else "09") for _ in range(count))
    exponent = R.choice([0, 0, 0, -1, -2, -5, -count, 5, R.randint(-40, 40), R.randint(-400, 400)])
    return Decimal("-" * (R.random() < 0.3) + digits + "e%d" % exponent)


def context():
    most = R.choice([10, 20, 99, 384, 999999])
    return Context(
        prec=R.choice([1, 2, 3, 7, 9, 16, 19, 20, 28, 34, 38, 50, 100]),
        rounding=R.choice(ROUNDINGS),
        Emin=-most,
        Emax=most,
        clamp=R.choice([0, 0, 1]),
        traps=[],
    )


def run(name, operands):
    lines = []
    for _ in range(150):
        c = context()
        values = [number() for _ in range(operands)]
        try:
            result = str(getattr(c, name)(*values))
        except Exception as error:
            result = type(error).__name__
        flags = sorted(signal.__name__ for signal in c.flags if c.flags[signal])
        lines.append(f"{c.prec} {c.Emax} {c.rounding} {c.clamp} {values} {result} {flags}")
    print(name, zlib.crc32("\n".join(lines).encode()), lines[0][-100:])


for name in ONE:
    run(name, 1)
for name in TWO:
    run(name, 2)
run("fma", 3)

SPECS = ["", ">20", "010", "+", ".3f", ".0f", ".2e", ".5g", "e", "f", "%", ".1%", ",", "015,.2f", "^30.4", "z.1f", "<15", "= 20", "*=20.3e", "G"]
for spec in SPECS:
    shown = []
    for _ in range(40):
        value = number()
        with localcontext(rounding=R.choice(ROUNDINGS)):
            shown.append(format(value, spec))
    print(repr(spec), zlib.crc32("\n".join(shown).encode()), shown[0][:60])

seen = []
for _ in range(300):
    value = number()
    if value.is_finite():
        seen.append((value.as_tuple(), hash(value), float(value), int(value), value.as_integer_ratio(), round(value), value.adjusted()))
print(zlib.crc32(repr(seen).encode()))

# Whole exponents, exact roots, powers that are inexact.
c = Context(prec=30)
for a, b in [("1.05", "30"), ("2", "0.5"), ("4", "0.5"), ("0.0016", "0.25"), ("10", "-3"), ("0.5", "-7"), ("400", "-1"), ("7", "-2.5"), ("3", "200"), ("1.0000001", "1e7"), ("9", "1.5"), ("1e-400", "0.01")]:
    c.clear_flags()
    print(a, b, c.power(Decimal(a), Decimal(b)), c.flags[Inexact], c.flags[Rounded])
print(pow(Decimal(3), 10**9, 1000007), pow(Decimal(-7), 3, 10))

# Long ones.
with localcontext(prec=2000) as c:
    print(zlib.crc32(str(Decimal(2).sqrt()).encode()), zlib.crc32(str(Decimal(1).exp()).encode()), zlib.crc32(str(Decimal(3).ln()).encode()))
    a, b = Decimal(7) ** 9000, Decimal(3) ** 4001
    print(a, zlib.crc32(str(a / b).encode()))
with localcontext(prec=400000) as c:
    a, b = Decimal(3**200000), Decimal(7**60000)
    product = a * b
    print(len(str(product)), zlib.crc32(str(product).encode()), product % b == 0, product // b == a, a * a - 1 == (a - 1) * (a + 1))
    print(zlib.crc32(str(divmod(a, b)).encode()), zlib.crc32(str(a.sqrt())[:80000].encode()))

# All that a context can hold.
with localcontext(Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)):
    print(Decimal(4) / 2, Decimal(4).sqrt(), Decimal(400) ** -1, divmod(Decimal(10), 3), Decimal(10**223).log10(), Decimal(0).exp())
    try:
        Decimal(1) / 3
    except MemoryError:
        print("MemoryError")
