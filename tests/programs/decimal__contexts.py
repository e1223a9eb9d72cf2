# Contexts: settings, flags and traps, copies, one for each thread, task and context of variables.
import contextvars
import copy
import pickle
import threading
from decimal import *


def attempt(function, *args, **kwargs):
    try:
        print(repr(function(*args, **kwargs)))
    except Exception as error:
        print(type(error).__name__, error)


c = Context(prec=5, rounding=ROUND_FLOOR, Emin=-9, Emax=9, capitals=0, clamp=1, flags=[Inexact], traps=[Overflow, InvalidOperation])
print(c, c.Etiny(), c.Etop())
print(pickle.loads(pickle.dumps(c)), copy.copy(c))
for name, value in [("prec", 0), ("prec", 10**18), ("prec", "x"), ("prec", 1 << 70), ("Emin", 1), ("Emax", -1), ("rounding", "x"), ("rounding", 3), ("clamp", 2), ("capitals", 2), ("traps", 3), ("traps", {}), ("flags", ["x"])]:
    attempt(setattr, c, name, value)
attempt(delattr, c, "prec")
attempt(Context, traps=[3])
attempt(setcontext, 3)
attempt(localcontext, 3)
attempt(localcontext, foo=3)
print(c.flags, len(c.traps), list(c.traps.items())[:2], c.flags == c.flags.copy())
c.traps[Inexact] = True
attempt(c.divide, 1, 3)
c.traps = dict.fromkeys(c.traps, False)
attempt(c.divide, 1, 0)
attempt(c.divide, 0, 0)
print(c.flags[DivisionByZero], c.flags[InvalidOperation])
c.clear_flags()
for value in ["abc", [], (1, 2), (2, (1,), 1), (1, (10,), 1), (1, (1,), "x"), (1, 3, 1), {}, 1.5, "1e99999999999999999999", "١٢", " 1_000.5\n"]:
    attempt(Decimal, value)
attempt(Decimal, 1, 5)
attempt(c.create_decimal, "123456789")
attempt(c.create_decimal, " 1")
attempt(Decimal("sNaN").__eq__, 1)
attempt(hash, Decimal("sNaN"))
attempt(lambda: Decimal("NaN") < 1)
attempt(int, Decimal("NaN"))
attempt(int, Decimal("Inf"))
attempt(float, Decimal("sNaN"))

attempt(lambda: Decimal(1) < 1.5)
attempt(lambda: Decimal(1) == 1.0 == 1 + 0j)
attempt(Decimal(1).quantize, 1, "x")
attempt(Decimal(1).exp, 5)
attempt(Decimal(1).compare, "x")
attempt(format, Decimal(1), "x")
with localcontext() as inner:
    inner.traps[FloatOperation] = True
    attempt(Decimal, 1.5)
    attempt(lambda: Decimal(1) < 1.5)
    attempt(lambda: Decimal(1) == 1.5)


class Money(Decimal):
    def __new__(cls, value="0"):
        return super().__new__(cls, value)


print(type(Money("1.10") + 1).__name__, Money("1.10"), pickle.loads(pickle.dumps(Money("2.5"))), type(Money.from_float(0.5)).__name__)

getcontext().prec = 7
results = []


def work(prec):
    setcontext(Context(prec=prec))
    for _ in range(200):
        last = Decimal(1) / 3
    results.append((prec, last))


threads = [threading.Thread(target=work, args=(prec,)) for prec in (3, 4, 5, 6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(results)[0], len(results), getcontext().prec)


def inside():
    setcontext(Context(prec=2))
    return Decimal(2) / 3


print(contextvars.copy_context().run(inside), Decimal(2) / 3)
setcontext(DefaultContext)
print(getcontext() is DefaultContext, getcontext().prec)
with localcontext(prec=3, traps=[]) as inner:
    print(Decimal(1) / 7, getcontext() is inner, Decimal(1) / 0)
print(Decimal(1) / 7)
