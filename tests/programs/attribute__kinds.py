"""Attributes of every kind that is remembered where it is read: slots, properties, those of classes and modules."""
class P:
    __slots__ = ("x", "y")
    scale = 3
    def __init__(self, x, y): self.x = x; self.y = y
    @property
    def size(self): return self.x
    @property
    def bad(self): raise AttributeError("bad")
    @property
    def two(self): return self.size + self.size
class Q(P):
    __slots__ = ()
    scale = 4
class R(P): pass
def run(o, n=5):
    t = 0
    for i in range(n):
        o.x = i
        t += o.x + o.y + o.scale + o.size + o.two
    return t
print(run(P(1,2)), run(Q(1,2)), run(R(1,2)), run(P(1,2)))
for c in (P, Q, R):
    o = c(1, 2)
    for i in range(3):
        try: o.bad
        except AttributeError as e: print(e)
def rd(o): return o.y
o = P(1, 2); print(rd(o), rd(o)); del o.y
for i in range(2):
    try: rd(o)
    except AttributeError as e: print(e)
o.y = 5; print(rd(o))
member = P.y; P.y = property(lambda self: 'prop'); print(rd(o), rd(o)); P.y = member; print(rd(o))
class M: pass
def sc(o): return o.scale
class A: scale = 1
a = A(); print(sc(a), sc(a)); a.scale = 7; print(sc(a)); A.scale = 9; print(sc(a), sc(A()), sc(A()))
class D:
    v = 1
class E: scale = D()
e = E(); print(type(sc(e)).__name__, type(sc(e)).__name__); D.__get__ = lambda self, o, t: 'got'; print(sc(e), sc(E), sc(E))
def cl(c): return c.scale
print(cl(A), cl(A)); A.scale = 10; print(cl(A)); del A.scale
try: cl(A)
except AttributeError as x: print(x)
import math, types
def mo(m): return m.pi
m = types.ModuleType('m'); m.pi = 3; print(mo(m), mo(m), mo(math) > 3.1); m.pi = 4; print(mo(m)); del m.pi
try: mo(m)
except AttributeError as x: print(x)
m.__getattr__ = lambda n: n; print(mo(m)); m.pi = 8; print(mo(m), mo(m))
def md(m): return m.__dict__ is not None, m.__name__
print(md(m), md(m), md(math))
def ca(m): return m.sqrt(4)
print(ca(math), ca(math)); m.sqrt = abs; print(ca(m), ca(math), ca(m))
def own(o): return o.f(1)
class F: pass
f = F(); f.f = abs; print(own(f), own(f))
class G:
    def f(self, x): return x + 1
print(own(G()), own(G()), own(f))
g = G(); g.f = lambda x: 'own'; print(own(g), own(g), own(G()))
def gen(o):
    for i in range(3):
        yield o.size
print(list(gen(P(4,5))), sum(gen(Q(2,2))))
class H:
    @property
    def deep(self): return self.deep
try: H().deep
except RecursionError as x: print('recursion', x)
def same(p):
    p = p.size
    return p
print(same(P(3, 4)), same(P(3, 4)))
def keep(p):
    try:
        p = p.bad
    except AttributeError:
        return type(p).__name__
print(keep(P(1, 2)), keep(P(1, 2)), keep(P(1,2)))
import sys, traceback
class T:
    @property
    def boom(self):
        return 1 / 0
def tb():
    t = T()
    return t.boom
for i in range(3):
    try: tb()
    except ZeroDivisionError as x:
        print([(f.name, f.lineno) for f in traceback.extract_tb(x.__traceback__)])
import enum
class Colour(enum.Enum):
    RED = 1
    BLUE = 2
class Mt(type):
    data = 5
    @property
    def prop(cls): return 'meta'
class Ob(metaclass=Mt):
    prop = 'own'
    data = 6
    free = 7
class Gt(type):
    def __getattribute__(cls, name): return name
class Og(metaclass=Gt): free = 1
def cattr(c): return c.free
def cdata(c): return c.data
def cprop(c): return c.prop
def red(): return Colour.RED, Colour.RED.value, Colour.BLUE.name
for _ in range(3):
    print(red(), cattr(Ob), cdata(Ob), cprop(Ob), cattr(Og))
Mt.free = property(lambda cls: 'late'); print(cattr(Ob)); del Mt.free; print(cattr(Ob), cattr(Ob)); Ob.free = 8; print(cattr(Ob))
Mt.__getattribute__ = lambda cls, name: 'hidden'; print(cattr(Ob)); del Mt.__getattribute__; print(cattr(Ob))
def pairs(t):
    out = []
    for x, y in t:
        out.append((y, x))
    a, b = t[0]
    b, a = a, b
    (c, d), e = t
    return out, a, b, c, d, e
print(pairs([(1, 2), [3, 4]]), pairs(((1, 2), 'xy')))
def shadow(x):
    x, y = x
    return x, y
print(shadow((1, 2)), shadow([3, 4]), shadow('ab'))
def keeps(x, y=0):
    try:
        x, y = 1, 2, 3
    except ValueError:
        return x, y
print(keeps('x'))
