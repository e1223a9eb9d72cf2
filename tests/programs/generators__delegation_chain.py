"""Chains of generators that delegate: who sees what, whoever resumes which of them, and from where."""

import inspect
import sys
import traceback


def numbers(n):
    for i in range(n):
        got = yield i
        if got is not None:
            print("  got", got)
    return f"end of {n}"


def through(inner, name):
    result = yield from inner
    print("  ", name, "has", result)
    return result


def chain(depth, inner):
    for i in range(depth):
        inner = through(inner, f"level {i}")
    return inner


print("plain")
print(list(chain(5, numbers(3))))

print("sent values")
g = chain(4, numbers(3))
print(next(g), g.send("a"), g.send("b"))
try:
    g.send("c")
except StopIteration as stop:
    print("stopped with", stop.value)

print("from different depths of the stack")


def deep(n, f):
    return f() if n == 0 else deep(n - 1, f)


g = chain(6, numbers(6))
print([deep(n, lambda: next(g)) for n in (0, 3, 0, 7, 3, 0)])

print("calls between")


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


total = 0
for v in tree(7):
    total += deep(v % 4, lambda: v)
print(total)
print(sum(a * b for a, b in zip(tree(6), tree(6))))

print("two outer ones share an inner one")
inner = numbers(6)
a, b = through(inner, "a"), through(inner, "b")
print(next(a), next(b), next(a), next(b))
print(next(inner), next(a))
print(list(b), list(a))

print("states")
inner = numbers(3)
middle = through(inner, "middle")
outer = through(middle, "outer")
print(inspect.getgeneratorstate(outer), inspect.getgeneratorstate(inner), outer.gi_yieldfrom)
next(outer)
print([inspect.getgeneratorstate(g) for g in (inner, middle, outer)])
print(outer.gi_yieldfrom is middle, middle.gi_yieldfrom is inner, inner.gi_yieldfrom)
print(outer.gi_frame.f_lineno == middle.gi_frame.f_lineno, outer.gi_frame is not middle.gi_frame)
print(next(outer), [inspect.getgeneratorstate(g) for g in (inner, middle, outer)])


def asks():
    yield [inspect.getgeneratorstate(g) for g in family]
    try:
        next(family[1])
    except ValueError as e:
        yield str(e)


family = [asks()]
family.append(through(family[0], "x"))
family.append(through(family[1], "y"))
print(next(family[2]), next(family[2]))

print("frames inside")


def names():
    while True:
        frame, seen = sys._getframe(), []
        while frame:
            seen.append((frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno))
            frame = frame.f_back
        yield seen


g = chain(3, names())
for _ in range(3):
    print(next(g))
print(deep(2, lambda: next(g)))
print(next(g))

print("exceptions")


def fails(n):
    yield from numbers(n)
    raise KeyError(n)


g = chain(3, fails(2))
try:
    for v in g:
        print(v)
except KeyError as e:
    print([(f.name, f.line) for f in traceback.extract_tb(e.__traceback__)])


def catches(inner):
    while True:
        try:
            yield from inner
            return
        except ValueError as e:
            print("  caught", e, "context", e.__context__, "handled", sys.exception())
            yield "from the handler"
            print("  still", sys.exception())
        print("  behind", sys.exception())


g = chain(2, catches(numbers(4)))
print(next(g), next(g), g.throw(ValueError("thrown")), sys.exception())
try:
    raise OSError("outside")
except OSError:
    print(next(g, "no more"), sys.exception())
print(next(g, "no more"))


def in_handler(inner):
    try:
        raise TypeError("mine")
    except TypeError:
        yield from inner
        print("  in the handler", repr(sys.exception()))
    print("  behind it", sys.exception())
    yield from numbers(2)


g = chain(2, in_handler(numbers(2)))
for v in g:
    print(v, sys.exception())

print("close")


def closing(name, inner):
    try:
        yield from inner
    finally:
        print("  closed", name, sys.exc_info()[0])


g = closing("a", closing("b", closing("c", numbers(5))))
print(next(g), next(g))
g.close()
print(list(g))
g = closing("d", closing("e", numbers(5)))
next(g)
del g

print("other iterators in the chain")
print(list(chain(3, iter([1, 2]))))


class Odd:
    def __iter__(self):
        return self

    count = 0

    def __next__(self):
        self.count += 1
        if self.count > 3:
            raise StopIteration("odd end")
        return self.count

    def send(self, value):
        return ("sent", value)


g = chain(2, Odd())
print(next(g), g.send("x"), next(g), list(g))

print("names and arguments")


def made(a, b=2, *rest, c=3, **more):
    yield a, b, rest, c, more


def plain(a, b=5):
    yield a, b


print(list(made(1)), list(made(1, 2, 3, c=4, d=5)), list(plain(1)), list(plain(1, 2)), list(plain(b=1, a=2)))
made.__name__, made.__qualname__ = "renamed", "also.renamed"
g = made(1)
print(g.__name__, g.__qualname__, repr(g)[:32])
g.__name__ = "again"
print(g.__name__, plain(1).__name__, plain.__code__.co_name)
for wrong in (lambda: plain(), lambda: plain(1, 2, 3), lambda: plain(1, c=2)):
    try:
        wrong()
    except TypeError as e:
        print(e)


class WithMethods:
    def items(self, n):
        yield self.__class__.__name__
        yield from range(n)

    def __iter__(self):
        yield from self.items(2)

    @staticmethod
    def fixed(n):
        yield n

    def __call__(self, n):
        yield n, self.fixed(n)


w = WithMethods()
print(list(w.items(2)), list(w), list(WithMethods.items(w, 1)), list(w.fixed(3)), next(w(4))[0], list(map(next, map(w.fixed, [1, 2]))))

print("too deep")


def endless(n):
    yield n
    yield from endless(n + 1)


old = sys.getrecursionlimit()
sys.setrecursionlimit(150)
try:
    for n in endless(0):
        last = n
except RecursionError as e:
    print("RecursionError", 100 < last < 150, e)
sys.setrecursionlimit(old)

print("cells and loops in generator frames")


def pairs(n):
    def add(x):
        return x + n

    def keyword(x, *, y):
        return x, y

    for i in range(3):
        yield add(i), keyword(i, y=n), max(i, n), [add(j) for j in range(i)]


print(list(chain(2, pairs(10))))


async def leaf(n):
    await Pause(n)
    return n * 2


class Pause:
    def __init__(self, n):
        self.n = n

    def __await__(self):
        got = yield self.n
        print("  resumed with", got)


async def branch(n):
    total = 0
    for i in range(n):
        total += await leaf(i)
    return total


async def top():
    return await branch(3), await branch(2)


print("coroutines")
c = top()
sent = None
try:
    while True:
        sent = ("answer", c.send(sent if sent else None))
except StopIteration as stop:
    print(stop.value)
c = top()
c.send(None)
awaited = c.cr_await
print(awaited.__name__, awaited.cr_await.__name__, awaited.cr_await.cr_await is not None)
try:
    awaited.send(None)
    c.throw(LookupError("thrown in"))
except LookupError as e:
    print([f.name for f in traceback.extract_tb(e.__traceback__)])

print("tracing")


def traced():
    yield 1
    yield 2


def outer():
    yield from traced()


events = []


def tracer(frame, event, arg):
    if event in ("call", "return"):
        events.append((frame.f_code.co_name, event, frame.f_lineno - frame.f_code.co_firstlineno, arg))
    return tracer


def run():
    for v in outer():
        pass


g = outer()
next(g)
sys.settrace(tracer)
run()
next(g)
sys.settrace(None)
print(next(g, "done"))
for event in events:
    print(event)
