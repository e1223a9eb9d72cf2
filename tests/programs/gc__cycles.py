"""Cycles, finalizers, resurrection, callbacks, freezing."""
import gc
import weakref


class Node:
    pass


def cycle():
    a, b = Node(), Node()
    a.other, b.other = b, a
    return weakref.ref(a)


gc.collect()
r = cycle()
print(r() is not None, gc.collect(), r())

log = []


class Final:
    def __init__(self, name):
        self.name = name
        self.me = self

    def __del__(self):
        log.append(self.name)


Final("x")
Final("y")
gc.collect()
print(sorted(log))

kept = []


class Lazarus:
    def __init__(self):
        self.me = self

    def __del__(self):
        kept.append(self)


ref = weakref.ref(Lazarus())
gc.collect()
print(len(kept), kept[0].me is kept[0], gc.is_finalized(kept[0]), ref())
kept.clear()
gc.collect()
print(len(kept))

calls = []


def callback(phase, info):
    calls.append((phase, info["generation"], sorted(info)))


gc.callbacks.append(callback)
gc.collect()
gc.callbacks.remove(callback)
print(calls)

# Collections happen by themselves.
log.clear()
Final("automatic")
made = 0
while not log and made < 1_000_000:
    made += 1
    junk = [made]
    junk.append(junk)
print(log)

gc.disable()
print(gc.isenabled())
gc.enable()
print(gc.isenabled())

gc.set_debug(gc.DEBUG_SAVEALL)
cycle()
gc.collect()
gc.set_debug(0)
print(sum(isinstance(x, Node) for x in gc.garbage))
gc.garbage.clear()
gc.collect()

holder = []
inner = [holder, 1]
print(any(x is inner for x in gc.get_referrers(holder)))
print(gc.get_referents([1, "two", holder]) == [1, "two", holder])
print(gc.is_tracked(holder), gc.is_tracked(1), gc.is_tracked("text"))
for bad in (3, -1):
    try:
        gc.collect(bad)
    except ValueError as e:
        print(e)
gc.freeze()
print(gc.get_freeze_count() > 0)
gc.unfreeze()
print(gc.get_freeze_count())


# A generator in a cycle runs its `finally`.
def generator():
    try:
        while True:
            yield
    finally:
        print("generator closed")


g = generator()
next(g)
box = [g]
box.append(box)
del g, box
gc.collect()
