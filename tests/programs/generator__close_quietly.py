"""Generators that are closed or dropped where nothing of theirs handles it, and where something does."""
import gc


class Loud:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("del", self.name)


def plain(n):
    held = Loud("plain")
    for i in range(n):
        yield i
    print("not reached")


def guarded():
    try:
        yield 1
    finally:
        print("finally")


def outer(inner):
    held = Loud("outer")
    yield from inner
    print("not reached")


def after():
    try:
        yield 1
    except ValueError:
        pass
    yield 2


def answers():
    try:
        yield 1
    except GeneratorExit:
        return "answer"


for make in (lambda: plain(3), guarded, lambda: outer(plain(2)), lambda: outer(guarded()), after, answers):
    g = make()
    print(next(g), g.gi_suspended)
    g.close()
    print(g.gi_frame, g.gi_suspended, list(g))
    g = make()
    next(g)
    del g
g = after()
next(g), next(g)
g.close()
print(any(x for x in (0, 1, 2)), next(x for x in "ab"), [x for x, _ in zip(plain(5), "ab")])
g = plain(2)
next(g)
try:
    g.throw(KeyError("x"))
except KeyError as e:
    print("thrown", e, e.__traceback__.tb_next is not None)
def busy():
    yield 1
    try:
        me.close()
    except ValueError as e:
        print(e)
    yield 2
me = busy()
print(list(me))
cycle = plain(2)
next(cycle)
box = [cycle]
def holder(x):
    for i in range(2):
        yield i, x
h = holder(box)
next(h)
box.append(h)
del h, box, cycle
gc.collect()
print("end")
