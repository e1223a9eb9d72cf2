"""`any`, `all`, `list`, `set` and `tuple` of generator expressions: what they give, when they stop, what they raise."""

import builtins
import sys


def noted(log, items):
    try:
        for item in items:
            log.append(item)
            yield item
    finally:
        log.append("closed")


def plain():
    log = []
    print(any(x > 2 for x in noted(log, range(6))), log)
    log.clear()
    print(all(x < 2 for x in noted(log, range(6))), log)
    print(any(x for x in ()), all(x for x in ()))
    print(list(x * 2 for x in range(4) if x), tuple((x, y) for x in "ab" for y in (1, 2)), sorted(set(x % 3 for x in range(9))))
    print(type(list(x for x in ())), type(set(x for x in ())), type(tuple(x for x in ())))
    values = list(values for values in (1, 2, 3))
    print(values, any((last := x) > 1 for x in range(5)), last)
    nested = tuple(tuple(list(z for z in range(y)) for y in range(x)) for x in range(3))
    print(nested)
    if any(x == 3 for x in range(5)) and not all(x == 3 for x in range(5)):
        print("conditions")
    return [any(c in "aeiou" for c in word) for word in ("sky", "sea")]


def not_the_builtins():
    def any(iterable):
        return type(iterable).__name__

    print(any(x for x in range(3)))
    kept = builtins.all
    builtins.all = lambda iterable: ["all", *iterable]
    try:
        print(all(x for x in range(3)))
        print(kept(x for x in (1, 0)))
    finally:
        builtins.all = kept
    print(all(x for x in range(3)))


class Truth:
    def __bool__(self):
        raise ValueError("no truth")


def fails(make):
    try:
        print("made", make())
    except Exception as error:
        trace = error.__traceback__
        names = []
        while trace:
            names.append(trace.tb_frame.f_code.co_name)
            trace = trace.tb_next
        # The text for what is unhashable is 3.14's own.
        text = "" if "unhashable" in str(error) else error
        print(type(error).__name__, text, names[1:])


def failures():
    fails(lambda: any(Truth() for _ in range(2)))
    fails(lambda: list([1][x] for x in (0, 1)))
    fails(lambda: set([x] for x in range(2)))
    fails(lambda: tuple(next(iter(())) for _ in range(2)))
    fails(lambda: all(x for x in 5))
    fails(lambda: any(undefined for x in range(2)))


def frames():
    names = tuple(sys._getframe(depth).f_code.co_name for depth in (0, 1))
    print(names)


class InBody:
    limit = 3
    flags = tuple(x for x in range(limit))
    found = any(x == 2 for x in flags)



async def awaiting():
    async def one(x):
        return x

    try:
        return any(await one(x) for x in (0, 1))
    except TypeError as error:
        return str(error)


def run(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value


print(plain())
not_the_builtins()
failures()
frames()
print(InBody.flags, InBody.found)
print(run(awaiting()))
deep = lambda n: 0 if n == 0 else max(list(deep(n - 1) + 1 for _ in range(1)))
print(deep(50))
