# Huge integers: identities of results, what does not fit in memory, operations that a signal ends.
import math
import signal
import sys
import time

sys.set_int_max_str_digits(0)
a, b = 3**150000, 7**90000
product = a * b
for x in (a, -a):
    for y in (b, -b):
        q, r = divmod(x * b + 12345, y)
        assert q * y + r == x * b + 12345 and (0 <= r < y or y < r <= 0)
        assert (x * b + 12345) // y == q and (x * b + 12345) % y == r
assert product % 1000007 == (a % 1000007) * (b % 1000007) % 1000007
assert product // a == b and product // b == a and product % a == 0
assert (a + b) ** 2 == a * a + 2 * product + b * b
text = str(a)
assert int(text) == a and int("-" + text) == -a and len(text) == 71569
assert f"{a:d}" == text and "%d" % -a == "-" + text and f"{a:,}".replace(",", "") == text
assert int(hex(a), 16) == a and int(oct(b), 8) == b
assert math.isqrt(a * a) == a and math.isqrt(a * a - 1) == a - 1 and math.isqrt(a * a + 2 * a) == a
assert (-3) ** 150001 == -3 * a and (6**9000) == 2**9000 * 3**9000
assert a / (a * 4) == 0.25 and round(a, -10) % 10**10 == 0
assert math.gcd(a * 6, a * 10) == 2 * a and math.lcm(a, b) == product
assert math.factorial(5000) // math.factorial(4998) == 5000 * 4999
assert math.comb(3000, 1500) == math.factorial(3000) // math.factorial(1500) ** 2
assert math.perm(10**30, 40) == math.prod(10**30 - i for i in range(40))
m = 10**3000 + 7
assert pow(5, 10**1200, m) == pow(pow(5, 10**600, m), 10**600, m)
assert pow(2, -3, 9) == pow(pow(2, -1, 9), 3, 9)
print(pow(5, 3, -7), pow(-5, 3, 7), pow(-5, 3, -7), pow(3, -1, -7), pow(7**100, 9**100, -(10**20)))


def attempt(text):
    try:
        print(text, eval(text))
    except (MemoryError, OverflowError, ValueError) as error:
        print(text, type(error).__name__, error)


for text in ["1 << (1 << 62)", "-1 << (1 << 62)", "1 << 10**30", "0 << 10**30", "1 >> 10**30", "-1 >> 10**30",
             "1 ** 10**30", "0 ** 10**30", "(-1) ** (10**30 + 1)", "1 << -1", "bytes(1 << 62)", "[0] * (1 << 62)"]:
    attempt(text)


class Interrupt(Exception):
    pass


def interrupt(*_):
    raise Interrupt


signal.signal(signal.SIGALRM, interrupt)
big = (1 << 60_000_000) // 7 | 1


def ended(name, work):
    start = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        work()
        print(name, "was finished")
    except Interrupt:
        print(name, "was interrupted")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert time.monotonic() - start < 20


ended("a power", lambda: 3**500_000_000)
ended("a product", lambda: big * big)
ended("a conversion", lambda: str(big))
ended("a power of a modulus", lambda: pow(3, 10**30000, 10**30000 + 1))
