# Attributes of classes: data, methods of every kind, metaclasses, changes behind the back of caches; read at one place from several classes.
class M(type):
    x = 'meta'
    @property
    def p(cls): return 'data'
class A: x = 1
class B(A): x = 2
class C(metaclass=M): p = 5
class D(metaclass=M): x = 'own'; p = 6
def read(c): return c.x
def readp(c): return c.p
for _ in range(3):
    print([read(c) for c in (A, B, C, D)], [readp(c) for c in (C, D)])
def rep(t): return t.__repr__
def nam(t): return t.__name__, t.__doc__ is None, t.mro, t.__init__, t.__new__
for _ in range(3):
    print([rep(t) is rep(t) for t in (dict, list, int, A, type, M)], rep(dict) is dict.__dict__['__repr__'], rep(type) is type.__dict__['__repr__'])
    print([nam(t)[:2] for t in (dict, A, B, M)])
class E:
    @staticmethod
    def s(a): return ('s', a)
    @classmethod
    def c(cls, a): return (cls.__name__, a)
class F(E):
    def both(self): return self.s(1), self.c(2), F.s(3), F.c(4)
def call(o): return o.s(1), o.c(2)
def get(o): return o.s, o.c
for _ in range(3):
    print(call(E), call(E()), call(F), call(F()), F().both(), get(F())[0](5), get(F)[1](6))
E.s = staticmethod(lambda a: ('new', a)); print(call(F), call(F()))
E.c = classmethod(lambda cls, a: ('newc', cls.__name__, a)); print(call(F), call(F()))
f = F(); f.s = lambda a: 'instance'; print(call(f)); f.c = lambda a: 'instance c'; print(call(f), call(F()))
E.s = lambda self, a=9: ('plain', a); print(F().s(), E.s(1, 2))
sm = E.__dict__['c']; sm.__init__(lambda cls, a: 'reinit'); print(call(F()), call(f))
E.c = staticmethod(len); print(F().c('abc'), F.c('ab'))
E.c = classmethod(print); F.c('printed')
class G(E):
    def __getattr__(self, n): return n
print(G().zz, G().c, G.c)
type.__setattr__(A, 'x', property(lambda self: 'prop')); print(read(A) is A.__dict__['x'], read(A()), read(B))
