# Sums, products and quotients of short numbers in many contexts: a digest of results and signals.
import decimal
import hashlib
import random
from decimal import Decimal as D

random.seed(5)
modes = [
    decimal.ROUND_UP, decimal.ROUND_DOWN, decimal.ROUND_CEILING, decimal.ROUND_FLOOR,
    decimal.ROUND_HALF_UP, decimal.ROUND_HALF_DOWN, decimal.ROUND_HALF_EVEN, decimal.ROUND_05UP,
]


def number():
    width = random.choice([1, 1, 2, 5, 9, 15, 18, 19, 20, 25, 37, 38, 39])
    digits = random.choice([
        str(random.randrange(10 ** width)),
        "9" * width,
        "1" + "0" * (width - 1),
        "5" * (width // 2) + "0" * (width - width // 2),
        str(random.randrange(100)) + "5" + "0" * max(width - 3, 0),
    ])
    return D(random.choice(["", "-"]) + digits + "E" + str(random.choice([0, 0, -1, 1, -5, 7, -18, 19, -20, 38, -40, random.randrange(-60, 60)])))


ops = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}
total = hashlib.sha256()
for prec in (1, 2, 5, 9, 17, 18, 19, 20, 28, 37, 38, 39, 50):
    for mode in modes:
        for limits in ((999999, -999999, 0), (20, -20, 0), (20, -20, 1)):
            with decimal.localcontext(decimal.Context(prec=prec, rounding=mode, Emax=limits[0], Emin=limits[1], clamp=limits[2])) as ctx:
                part = hashlib.sha256()
                for trap in ctx.traps:
                    ctx.traps[trap] = False
                for _ in range(60):
                    a, b = number(), number()
                    for name, op in ops.items():
                        ctx.clear_flags()
                        result = op(a, b)
                        flags = sorted(s.__name__ for s, on in ctx.flags.items() if on)
                        part.update(f"{a} {name} {b} = {result!r} {flags}\n".encode())
                total.update(part.digest())
    print(prec, total.hexdigest()[:16])

# What changes the context of the thread is seen at once.
import contextvars

var = contextvars.ContextVar("var", default=0)


def look():
    return var.get(), decimal.getcontext().prec


def inner():
    before = look()
    token = var.set(2)
    decimal.getcontext().prec = 7
    after = look()
    var.reset(token)
    return before, after, look()


print(look())
var.set(1)
print(look())
context = contextvars.copy_context()
print(context.run(inner), look())
decimal.setcontext(decimal.Context(prec=3))
print(look(), context.run(look), D(1) / D(3))
with decimal.localcontext(prec=5):
    print(look(), D(1) / D(3))
print(look(), D(1) / D(3))
