# Classes called in loops: with and without __init__, __new__ and metaclasses, in generators, and changed between calls.
import abc
import sys
class Empty: pass
class One:
    def __init__(self, a): self.a = a
class Many:
    def __init__(self, a, b=2, *c, d=4, **e): self.all = a, b, c, d, e
class Wrong:
    def __init__(self, x): return x
class New:
    def __new__(cls, *a): return object.__new__(cls) if a else 'no instance'
    def __init__(self, *a): self.a = a
class Abstract(abc.ABC):
    @abc.abstractmethod
    def f(self): pass
class Meta(type):
    def __call__(cls, *a): return cls.__name__, a
class Called(metaclass=Meta): pass
class Kept(metaclass=type('M', (type,), {})):
    def __init__(self, a): self.a = a
class Slots:
    __slots__ = ('a', 'b')
    def __init__(self, a): self.a = a
class Wide:
    def __init__(self):
        self.a = self.b = self.c = self.d = 1
        self.e = self.f = self.g = self.h = self.i = self.j = self.k = self.l = 2
class Late:
    def __init__(self, n):
        if n: self.inner = Late(n - 1)
        self.n = n
    def __del__(self): gone.append(self.n)
gone = []
def tell(f, *a):
    try: return f(*a)
    except Exception as e: return f'{type(e).__name__}: {e}'
for turn in range(3):
    print(type(Empty()).__name__, tell(lambda: Empty(1)), One(1).a, tell(lambda: One()), tell(lambda: One(1, 2)))
    print(Many(1).all, Many(1, 5, 6).all, Many(a=1, z=3).all, tell(lambda: Wrong(None)) is not None, tell(lambda: Wrong(3)))
    print(New(), New(1).a, tell(lambda: Abstract()), Called(1), Kept(7).a, Slots(8).a, sorted(Wide().__dict__))
    Late(3); print(gone); gone.clear()
def made(n):
    for i in range(n):
        one = One(i)
        yield one.a, Empty().__class__ is Empty
print(list(made(3)))
one = lambda: One(5)
print(one().a); One.__init__ = lambda self, a, b=1: setattr(self, 'a', (a, b)); print(one().a, One(6, 7).a)
del One.__init__; print(tell(one)); One.__init__ = One.__str__; print(tell(one))
empty = lambda: Empty()
Empty.__init__ = lambda self: setattr(self, 'x', 1); print(empty().x); Empty.__new__ = lambda cls: 5; print(empty())
class Deep:
    def __init__(self, n): self.n = Deep(n + 1)
print(tell(lambda: Deep(0)).split(':')[0])
class Raises:
    def __init__(self, a): self.a = a; raise ValueError(a)
for i in range(3):
    try: Raises(i)
    except ValueError as e: print(e, e.__traceback__.tb_next.tb_frame.f_locals['self'].a, e.__traceback__.tb_next.tb_frame.f_code.co_name)
class Frame:
    def __init__(self): self.f = sys._getframe().f_code.co_qualname, sys._getframe(1).f_code.co_name
print([Frame().f for _ in range(2)])
import types
m = types.ModuleType('m'); m.One = Slots; m.Empty = type('E', (), {})
for i in range(2): print(m.One(i).a, m.Empty().__class__.__name__)
