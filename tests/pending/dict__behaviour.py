def attempt(label, f):
    try:
        print(label, repr(f()))
    except Exception as e:
        print(label, type(e).__name__, e)

d = {}
print(d, len(d), bool(d))
for i in range(20):
    d[str(i)] = i
print(d)
for i in range(0, 20, 2):
    del d[str(i)]
print(d, len(d))
d['x'] = 1
d['1'] = 'one'
print(d)
print(d.get('1'), d.get('nope'), d.get('nope', 5))
attempt('missing', lambda: d['nope'])
attempt('del', lambda: d.__delitem__('nope'))
attempt('pop', lambda: d.pop('nope'))
attempt('pop default', lambda: d.pop('nope', 7))
attempt('pop', lambda: d.pop('x'))
attempt('popitem', lambda: d.popitem())
attempt('empty popitem', lambda: {}.popitem())
attempt('setdefault', lambda: (d.setdefault('q', 3), d.setdefault('q', 4), d.setdefault('r')))
print(d)
print(list(d), list(d.keys()), list(d.values()), list(d.items()))
print(list(reversed(d)), list(reversed(d.keys())), list(reversed(d.values())), list(reversed(d.items())))
print(d.copy() == d, d.copy() is d, d == {}, d != {})
d.clear()
print(d)

# numbers that are equal are one key
n = {1: 'a', 1.0: 'b', True: 'c'}
print(n, n[1], n[True], 1.0 in n)
n = {0: 'z', 2**61 - 1: 'p', 2**70: 'big', -1: 'm', -2: 'mm'}
print(n, n[0.0], n[2.0**70], n[-1], n[-2])
n = {float('inf'): 1, None: 2, (): 3, (1, 2): 4, (1, (2, 'x')): 5, b'x': 6, 'x': 7, frozenset([1]): 8}
print(n, n[(1, 2)], n[1, (2, 'x')], n['x'], n[b'x'], n[frozenset({1})])

class Key:
    def __init__(self, h, name): self.h, self.name = h, name
    def __hash__(self): return self.h
    def __eq__(self, other): print('eq', self.name, getattr(other, 'name', other)); return self.name == getattr(other, 'name', other)
    def __repr__(self): return f'Key({self.name})'

k = {Key(1, 'a'): 1, Key(1, 'b'): 2, Key(1, 'c'): 3}
print(k)
print(k[Key(1, 'b')])
attempt('no', lambda: k[Key(1, 'z')])
k['s'] = 1
print(Key(hash('s'), 's') in k)
print(k.get(1))

class Bad:
    def __hash__(self): return 5
    def __eq__(self, other): raise ValueError('eq failed')
b = {Bad(): 1}
attempt('bad', lambda: b[5])
attempt('bad set', lambda: b.__setitem__(Bad(), 2))
print(len(b))

class Mutator:
    def __init__(self, d): self.d = d
    def __hash__(self): return 5
    def __eq__(self, other):
        self.d.clear()
        return False
m = {}
m[Mutator(m)] = 1
m[5] = 2
print(m)

# construction
print(dict(), dict(a=1, b=2), dict([('a', 1), ['b', 2], 'cd']), dict({'x': 1}, y=2), dict(((1, 2),), z=3))
class M:
    def keys(self): return ['k1', 'k2']
    def __getitem__(self, k): return k * 2
print(dict(M()), dict(M(), k1=0))
u = {}
u.update(M()); u.update([(1, 2)]); u.update(q=1); u.update({'w': 2}); u.update()
print(u)
attempt('two', lambda: dict(1, 2))
attempt('int', lambda: dict(1))
attempt('len', lambda: dict([(1, 2, 3)]))
attempt('len', lambda: dict(['abc']))
attempt('upd', lambda: {}.update(1, 2))
attempt('kw', lambda: dict(**{1: 2}))
attempt('fromkeys', lambda: dict.fromkeys('abc'))
attempt('fromkeys', lambda: dict.fromkeys([1, 2, 1], 0))
attempt('fromkeys', lambda: dict.fromkeys(5))
attempt('args', lambda: {}.get())
attempt('args', lambda: {}.get(1, 2, 3))
attempt('args', lambda: {}.pop())
attempt('args', lambda: {}.clear(1))
attempt('kwarg', lambda: {}.get(key=1))

# operators
print({1: 1} | {2: 2}, {1: 1} | {1: 2})
x = {1: 1}; y = x; x |= {3: 3}; x |= [(4, 4)]; print(x, y is x)
attempt('or', lambda: {} | [])
attempt('lt', lambda: {} < {})
print({1: 2} == {1: 2.0}, {1: 2} == {1: 3}, {1: 2} != {1: 2}, {} == 0)

# recursion
r = {}; r['r'] = r; r['l'] = [r]
print(r)
r = {}; r['k'] = r.keys(); r['v'] = r.values()
print(r['k'], r['v'])

# subclass
class D(dict):
    def __missing__(self, key): return f'missing {key}'
s = D(a=1)
print(s, s['a'], s['b'], s.get('b'), len(s), type(s.copy()), type(s | {}), D.fromkeys('xy'), type(D.fromkeys('xy')))
s.attr = 1
print(s.attr, s.__dict__)

# views
v = {'a': 1, 'b': 2}
ks, vs, its = v.keys(), v.values(), v.items()
v['c'] = 3
print(ks, vs, its, len(ks), len(vs), len(its))
print(ks & {'a', 'z'}, sorted(ks | {'z'}), sorted(ks - {'a'}), sorted(ks ^ {'a', 'z'}), ks == {'a', 'b', 'c'}, ks < {'a', 'b', 'c', 'd'}, ks >= {'a'})
print(sorted({'a', 'z'} - ks), sorted(['a', 'q'] | ks), its & [('a', 1)], ('a', 1) in its, ('a', 2) in its, 'a' in its, 1 in vs)
print(ks.isdisjoint(['z']), ks.isdisjoint('a'), its.isdisjoint([('a', 1)]), ks.mapping, ks.mapping['a'])
attempt('hash', lambda: hash(vs) is not None)
attempt('values eq', lambda: v.values() == v.values())
attempt('keys <', lambda: ks < ['a'])

# iteration while changed
def grow():
    g = {1: 1}
    for i in g: g[i + 1] = 1
attempt('grow', grow)
def swap():
    g = {i: i for i in range(3)}
    for i in g:
        del g[i]; g[i + 10] = 1
attempt('swap', swap)
g = {1: 1, 2: 2}
for i in g: g[i] = 0
print(g)
it = iter({1: 1, 2: 2}); next(it)
print(it.__length_hint__(), list(it), it.__length_hint__(), list(it))
it = iter({'a': 1, 'b': 2}.items()); next(it); print(it.__reduce__()[1], list(it))
for t in (iter({}), iter({}.values()), iter({}.items()), reversed({}), reversed({}.values()), reversed({}.items())):
    print(type(t).__name__, end=' ')
print()
attempt('new', lambda: type(iter({}))())
attempt('new', lambda: type({}.keys())())
# stack and queue use
q = {}
for i in range(1000):
    q[i] = i
    if i % 3: q.popitem()
    if i % 7 == 0: q.pop(next(iter(q)))
print(len(q), list(q)[:5], list(q)[-5:])
big = {i: -i for i in range(100000)}
print(len(big), sum(big), big[99999], 100000 in big)
for i in range(0, 100000, 3): del big[i]
print(len(big), sum(big.values()))
print(dict.__class_getitem__(int), dict[str, int])
print({'a': 1}.__contains__('a'), {'a': 1}.__getitem__('a'), {}.__len__(), {1: 2}.__eq__({1: 2}), {1: 2}.__lt__({1: 2}))
print(dict.__hash__, dict.__doc__[:30])
attempt('unbound', lambda: dict.get(1, 2))
