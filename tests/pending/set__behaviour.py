def attempt(label, f):
    try:
        print(label, repr(f()))
    except Exception as e:
        print(label, type(e).__name__, e)
print(set(), {1, 2, 3}, {3, 2, 1}, frozenset(), frozenset([1, 2]), set(range(20)), set([100, 5, 33, 8, 64, 72, 1000, -1, -2]))
s = {1, 2}; s.add(3); s.add(1); s.update([4, 5], (6,), {7: 7}, {8}); print(s, len(s), 3 in s, 9 in s)
s.discard(3); s.discard(99); s.remove(4); print(s, s.pop(), s)
attempt('rm', lambda: s.remove(99)); attempt('rm', lambda: s.remove({1})); attempt('pop', lambda: set().pop()); attempt('init', lambda: set(1)); attempt('init', lambda: set(1, 2)); attempt('kw', lambda: set(a=1)); attempt('kw', lambda: frozenset(a=1))
attempt('upd', lambda: s.update(1)); attempt('add', lambda: s.add()); attempt('disj', lambda: s.isdisjoint())
a, b = set(range(0, 10)), set(range(5, 15))
print(a | b, a & b, a - b, b - a, a ^ b, a.union(b, [99]), a.intersection(b, range(7, 9)), a.difference([1], [2]), a.symmetric_difference([1, 100]))
print(a < b, a <= a, a < a, a > {1, 2}, a >= a, {1} == frozenset([1]), {1} != {2}, a.issubset(range(20)), a.issuperset([1, 2]), a.isdisjoint([50]), a.isdisjoint(b), {1} == [1])
attempt('or', lambda: a | [1]); attempt('lt', lambda: a < [1]); attempt('ior', lambda: a.__ior__([1])); attempt('rsub', lambda: [1] - a)
c = set(a); c |= {77}; c &= {1, 2, 77, 5}; c -= {5}; c ^= {1, 3}; print(c); d = c; c |= c; c &= c; print(c is d, c); c -= c; print(c); c ^= c; print(c)
x = {1, 2, 3}; x.intersection_update([2, 3], [3]); print(x); x.difference_update([3]); print(x); x.symmetric_difference_update([1, 1, 2]); print(x); x.clear(); print(x)
f = frozenset([1, 2, 3]); print(hash(f) == hash(frozenset([3, 2, 1])), hash(frozenset()), hash(frozenset([1])), hash(frozenset(range(100))), f.copy() is f, frozenset(f) is f, {f: 1}[frozenset([1, 2, 3])], {1, 2, 3} in {f}, type(f | {1}), type({1} | f))
attempt('hash', lambda: hash(set())); attempt('fadd', lambda: f.add)
class S(set): pass
class F(frozenset): pass
print(S([1]), F([1]), type(S() | {1}), type(F() & {1}), type(S([1]).copy()), S(), F(), repr(S([2])), type(F([1]).copy()))
q = S([1]); q.x = 1; print(q.__reduce__()[1:], {1}.__reduce__()[1:])
r = {1, 2, 3}
def grow():
    for i in r: r.add(i + 10)
attempt('grow', grow)
it = iter({1, 2, 3}); next(it); print(it.__length_hint__(), it.__reduce__()[1], list(it), type(it).__name__)
class K:
    def __init__(self, h, n): self.h, self.n = h, n
    def __hash__(self): return self.h
    def __eq__(self, o): print('eq', self.n, getattr(o, 'n', o)); return self.n == getattr(o, 'n', o)
    def __repr__(self): return f'K{self.n}'
ks = {K(1, 'a'), K(1, 'b'), K(2, 'c')}; print(ks); print(K(1, 'b') in ks, K(1, 'z') in ks, len(ks)); ks.discard(K(1, 'a')); print(ks, ks & {K(2, 'c')})
print({1, 1.0, True}, {0, False}, {'a', 'a'}, {None, ()}, len({float('nan'), float('nan')}), {(1, 2), (1, 2)})
big = set(range(100000)); big -= set(range(0, 100000, 2)); print(len(big), sum(big), 3 in big, 4 in big)
t = set()
for i in range(1000): t.add(i * 7919 % 1000)
for i in range(0, 1000, 3): t.discard(i)
for i in range(500): t.add(-i)
print(len(t), sum(t), sorted(t)[:5])
w = set(range(30))
while w: print(w.pop(), end=' ')
print(); z = set([1, 9, 17, 25, 33, 41, 2, 10]); print(z); z.discard(9); z.add(49); print(z, set(z), z | {57}, z.copy())
m = {}; m[frozenset('ab')] = 1; print(m[frozenset('ba')]); print({frozenset([1]), frozenset([1])}, set[int], set.__doc__, {i % 3 for i in range(10)})
print({1, 2}.__contains__(1), {1}.__eq__({1}), {1}.__or__({2}), {1}.__or__([2]), set.__hash__, {1}.__ror__({3}), {1, 2}.__rsub__({1, 5}))
rec = [1]; h = {1, (2,)}
class R(frozenset):
    def __repr__(self): return 'R'
print({R()}, [{1}, {2}])
print(set('abc') == set('cba'), set([1]).union(), set([1, 2]).intersection(), set([1]).difference())
print({1, 2, 3} - {2: 0}.keys(), {1, 2, 3}.difference({2: 0}), {1, 2, 3}.symmetric_difference({2: 0, 7: 0}))
