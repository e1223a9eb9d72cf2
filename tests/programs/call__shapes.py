"""Calls by name and with defaults, `with` on native and other managers, classes without __init__."""
def f(a, b=2, *, c=3, d): return (a, b, c, d)
def g(a, /, b, c=5): return (a, b, c)
def h(*args, k=1, **kw): return (args, k, sorted(kw.items()))
class C:
    def __init__(self, x, y=1, *, z=2): self.v = (x, y, z)
    def m(self, p, q=7): return (self.v, p, q)
def t(n):
    for i in range(n):
        r = [f(1, d=4), f(1, d=4, c=9), f(b=1, a=2, d=3), f(*(1, 2), d=5), g(1, b=2), g(1, c=3, b=2), h(k=4), h(1, 2, z=3),
             C(1).v, C(x=1).v, C(1, z=9).v, C(1, y=8, z=9).v, C(1).m(1), C(1).m(q=1, p=2), C(2).m(1, q=2)]
    return r
print(t(3))
def err(fn):
    try: print(fn())
    except TypeError as e: print(e)
for _ in range(2):
    err(lambda: f(1)); err(lambda: f(1, d=1, e=2)); err(lambda: f(1, a=2, d=1)); err(lambda: g(a=1, b=2)); err(lambda: g(1))
    err(lambda: f(1, 2, 3, d=1)); err(lambda: C(y=1)); err(lambda: C(1, w=2)); err(lambda: C(1, x=2)); err(lambda: C(1).m(z=1))
def many(a0=0,a1=1,a2=2,a3=3,a4=4,a5=5,a6=6,a7=7,a8=8,a9=9): return (a0,a1,a2,a3,a4,a5,a6,a7,a8,a9)
print(many(a9=1, a0=2), many(1, 2, a5=7), many(a3=many()))
ns = {}
exec("def big(" + ",".join(f"p{i}={i}" for i in range(70)) + "): return p0 + p69 + p63\ndef b64(" + ",".join(f"p{i}={i}" for i in range(64)) + "): return p0 + p63", ns)
print(ns['big'](p0=5), ns['big'](p69=0), ns['b64'](p63=1), ns['b64'](1, p2=5))
def gen(a, b=1):
    yield a; yield b
print(list(gen(a=1)), list(gen(1, b=3)), list(gen(1)))
def caller():
    x = [f(i, d=i, c=i) for i in range(2)]
    yield f(1, d=2); yield f(b=1, a=2, d=3); yield x
print(list(caller()))
def locals_after(a, b=1, *, c=2):
    z = a + b + c; w = [z]
    return sorted(locals().items())
print(locals_after(c=1, a=2), locals_after(1))
def unbound(a, b=1):
    if a: q = 1
    return q
def tryun(**k):
    try: return unbound(**k)
    except UnboundLocalError as e: return str(e)
def tryun2(x):
    try: return unbound(a=x, b=5)
    except UnboundLocalError as e: return str(e)
for i in range(3): print(tryun(a=0), tryun(a=1), tryun2(0), tryun2(1))
f.__defaults__ = None; err(lambda: f(1, d=2)); f.__kwdefaults__ = {'c': 1, 'd': 2}; print(f(1, 2), f(1, b=2))
def deep(n, *, k): return 0 if n == 0 else 1 + deep(n - 1, k=n)
print(deep(500, k=0))
try: deep(10**6, k=0)
except RecursionError: print('recursion')
# with
import threading
L = threading.Lock(); R = threading.RLock()
def w(n):
    t = 0
    for i in range(n):
        with L: t += 1
        with R as r: t += r
        with L, R: t += L.locked()
        with open('/dev/null') as fh: t += fh.closed
    return t, L.locked()
print(w(5))
def early():
    for i in range(3):
        with L:
            if i == 1: return i
        with R:
            continue
print(early(), L.locked())
def boom():
    try:
        with L: 1/0
    except ZeroDivisionError: return L.locked()
print(boom(), boom())
class CM:
    def __enter__(self): return 'in'
    def __exit__(self, *a): print(a[0]); return True
def any_cm(x):
    with x as y: z = y
    return y
print([any_cm(x) for x in (CM(), L, R, CM(), L)])
class Sub(type(R)):
    def __enter__(self): print('sub'); return super().__enter__()
def gen_with():
    with L:
        yield 1
        yield L.locked()
print(list(gen_with()), L.locked())
def nested():
    with L:
        with R:
            return (yield 5)
print(list(nested()), L.locked())
def rel():
    try:
        with L:
            L.release()
    except RuntimeError as e: return str(e)
print(rel(), rel(), L.locked())
class E: pass
class Fx(E): x = 1
print(type(E()), Fx().x)
class Meta(type):
    def __call__(cls): return 'meta'
class UM(metaclass=Meta): pass
print(UM(), UM())
class NewOnly:
    def __new__(cls): return 5
print(NewOnly())
import abc
class Ab(abc.ABC):
    @abc.abstractmethod
    def q(self): ...
try: Ab()
except TypeError as e: print(e)
class Aw:
    def __await__(self): yield 1; return 2
async def co(): return await Aw()
x = co(); print(x.send(None))
try: x.send(None)
except StopIteration as s: print(s.value)
