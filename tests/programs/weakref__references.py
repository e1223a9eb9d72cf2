"""References, proxies, callbacks and their order; dictionaries of weak references."""
import weakref


class Thing:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"Thing({self.name!r})"

    def __len__(self):
        return 3

    def __call__(self, *args):
        return args


a = Thing("a")
r = weakref.ref(a)
print(r() is a, weakref.ref(a) is r, weakref.getweakrefcount(a), weakref.getweakrefs(a) == [r])
print(r == weakref.ref(a), hash(r) == hash(a), r.__callback__)

order = []
first = weakref.ref(a, lambda ref: order.append(("first", ref is first, ref())))
second = weakref.ref(a, lambda ref: order.append(("second", ref is second, ref())))
p = weakref.proxy(a, lambda proxy: order.append(("proxy", type(proxy).__name__)))
print(p.name, len(p), p(1, 2), type(p).__name__, weakref.getweakrefcount(a))
del a
print(order)
print(r(), r == first)
try:
    p.name
except ReferenceError as e:
    print("ReferenceError", e)
try:
    weakref.ref(1)
except TypeError as e:
    print(e)
try:
    hash(first)
except TypeError as e:
    print(e)

values = weakref.WeakValueDictionary()
keys = weakref.WeakKeyDictionary()
items = [Thing(i) for i in range(4)]
for item in items:
    values[item.name] = item
    keys[item] = item.name
print(sorted(values), sorted(keys.values()))
del item, items[1:3]
print(sorted(values), sorted(keys.values()))
members = weakref.WeakSet(items)
print(len(members), items[0] in members)
items.clear()
print(len(members), len(values), len(keys))


class Owner:
    def method(self):
        return "called"


owner = Owner()
method = weakref.WeakMethod(owner.method)
print(method()())
finalizer = weakref.finalize(owner, print, "finalized", 1)
print(finalizer.alive)
del owner
print(finalizer.alive, method())


class Sub(weakref.ref):
    __slots__ = ("extra",)


b = Thing("b")
s = Sub(b)
s.extra = 1
print(s.extra, s() is b, s is not weakref.ref(b))


class Cycle:
    pass


import gc

c = Cycle()
c.me = c
seen = []
outside = weakref.ref(c, lambda ref: seen.append("outside"))
c.inside = weakref.ref(c, lambda ref: seen.append("inside"))
del c
gc.collect()
print(seen, outside())
