# Zeros of both signs, ints beside floats, infinities and NaN: operators, comparisons and jumps by them; items of arrays; unpacking.
import array
import itertools
import math

values = [0.0, -0.0, 0, 1, -1, 2**53, 2**53 + 1, -(2**60), 2**70, 1.5, -2.25, 1e-300, 1e300, math.inf, -math.inf, math.nan, True, False]


def show(x):
    return f"{x!r}:{type(x).__name__}"


def tried(f, *args):
    try:
        return f(*args)
    except ZeroDivisionError as e:
        return type(e).__name__
    except Exception as e:
        return f"{type(e).__name__}: {e}"


def operate(a, b):
    out = [a + b, a - b, a * b]
    out.append(tried(lambda: a / b))
    out += [a == b, a != b, a < b, a <= b, a > b, a >= b]
    jumps = ""
    if a < b: jumps += "l"
    if a <= b: jumps += "L"
    if not a > b: jumps += "g"
    if a >= b: jumps += "G"
    if a == b: jumps += "e"
    if a != b: jumps += "n"
    while a < b:
        jumps += "w"
        break
    a += b
    out += [jumps, a]
    a -= b
    a *= b
    return out + [a]


def immediate(a):
    out = [a + 1, a - 1, a * 3, 1 - a, 2 * a, a + 0, a == 0, a != 0, a < 0, a <= 0, a > 0, a >= 0, tried(lambda: a / 4), tried(lambda: 1 / a)]
    jumps = ""
    if a < 0: jumps += "l"
    if a > 0: jumps += "g"
    if a == 0: jumps += "e"
    if not a >= 1: jumps += "s"
    return out + [jumps, -a]


for a, b in itertools.product(values, values):
    line = " ".join(map(show, operate(a, b)))
    assert line == " ".join(map(show, operate(a, b)))
    print(line)
for a in values:
    print(" ".join(map(show, immediate(a))))

for code in "bBhHiIlLqQfd":
    items = array.array(code, [0, 1, 2, 100])
    got = [items[i] for i in (0, 1, 2, 3, -1, -4, True)]
    items[1] = 7
    items[-1] = 3
    errors = [tried(lambda: items[4]), tried(lambda: items[-5]), tried(lambda: items["a"]), tried(lambda: items[2**80])]
    errors += [tried(items.__setitem__, 9, 1), tried(items.__setitem__, 0, "x"), tried(items.__setitem__, -9, 1)]
    for extreme in (2**7, 2**8, -1, -(2**15) - 1, 2**31, 2**32, 2**63, 2**64, 0.5):
        errors.append(tried(items.__setitem__, 0, extreme))
    print(code, list(map(show, got)), errors, items.tolist(), items == array.array(code, items), items.tobytes().hex())
for code in "w":
    try:
        text = array.array(code, "aé\U0001f600")
    except ValueError as e:
        print(code, e)
        continue
    text[0] = "z"
    print(code, text[0], text[-1], text.tounicode(), tried(text.__setitem__, 0, "ab"), tried(text.__setitem__, 0, 1))


class Told:
    def __init__(self, name): self.name = name
    def __del__(self): print("gone", self.name)


class Mutates:
    def __init__(self, items): self.items = items
    def __del__(self): self.items[:] = [9, 9]


def unpack():
    row = [1, 2, 3]
    for _ in range(3):
        a, b, c = row
        row, b, c = row
        print(a, b, c, row)
        row = [a, b, c]
    x, y = Told("x"), Told("y")
    pair = (Told("p"), Told("q"))
    x, y = pair
    print("unpacked", x.name, y.name)
    del pair
    x, y = (y, x)
    print(x.name, y.name)
    del x
    del y
    items = [1, 2]
    x, y = Mutates(items), 0
    x, y = items
    print(x, y, items)
    print(tried(lambda: [0 for p, q in [(1, 2, 3)]])[:30], tried(lambda: [0 for p, q, r in [(1, 2)]]))


unpack()


class Base: pass
class Sub(Base): pass
class Liar:
    @property
    def __class__(self): return Base
class Other: pass
class Later(Other): pass


for _ in range(3):
    later = Later()
    print(isinstance(1, tuple), isinstance((), (list, tuple)), isinstance(Sub(), Base), isinstance(Base(), Sub), isinstance(Liar(), Base),
          isinstance(True, int), isinstance(1.0, (int, str)), isinstance(later, Base), isinstance(None, type(None)))
    Later.__bases__ = (Base,) if _ == 0 else (Liar,)
print(tried(isinstance, 1, 2), tried(isinstance, 1, (int, 2)), tried(isinstance, "", (int, 2)))
