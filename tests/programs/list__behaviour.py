def attempt(label, f):
    try:
        print(label, repr(f()))
    except Exception as e:
        print(label, type(e).__name__, e)
l = [3, 1, 2]
print(l, l[0], l[-1], l[1:], l[::-1], l[5:], l[-100:100:2], len(l), bool([]))
attempt('idx', lambda: l[3]); attempt('idx', lambda: l[-4]); attempt('idx', lambda: l['a']); attempt('idx', lambda: l[1.0])
attempt('set', lambda: l.__setitem__(3, 1)); attempt('del', lambda: l.__delitem__(3))
attempt('big', lambda: l[2**70]); attempt('step', lambda: l[::0])
attempt('slice', lambda: l['a':]); 
class I:
    def __init__(self, i): self.i = i
    def __index__(self): return self.i
print(l[I(1)], l[I(0):I(2)], l[True])
l.append(4); l.extend([5, 6]); l.extend((7,)); l.extend('ab'); l.extend({8: 8}); l.extend(i for i in range(2)); l += [9]; l += 'z'
print(l)
l.insert(0, 'first'); l.insert(-1, 'last-1'); l.insert(100, 'end'); l.insert(-100, 'start')
print(l, l.pop(), l.pop(0), l.pop(-2))
attempt('pop', lambda: [].pop()); attempt('pop', lambda: [1].pop(3)); attempt('pop', lambda: [1].pop('a'))
attempt('remove', lambda: [1].remove(2)); attempt('index', lambda: [1, 2, 1].index(1, 1)); print(1)
attempt('index', lambda: [1].index(1, 'a')); attempt('index', lambda: [1].index(1, None)); attempt('index', lambda: [1, 2, 3].index(3, -1)); attempt('i', lambda: [1, 2].index(2, -2**70, 2**70))
print([1, 2, 1, 1.0, True].count(1), [1, 2].copy(), 2 in [1, 2], 3 in [1, 2], None in [1, None], 'a' in ['b', 'a'], float('nan') in [float('nan')])
nan = float('nan'); print(nan in [nan], [nan] == [nan], [nan].index(nan), [nan].count(nan))
x = [1, 2, 3]; x.remove(2); print(x); x.clear(); print(x); x.reverse(); y = [1, 2, 3]; y.reverse(); print(y)
attempt('append', lambda: [].append()); attempt('append', lambda: [].append(1, 2)); attempt('insert', lambda: [].insert(1)); attempt('clear', lambda: [].clear(1)); attempt('kw', lambda: [].append(object=1)); attempt('extend', lambda: [].extend(1)); attempt('pop', lambda: [].pop(1, 2))
attempt('init', lambda: list(1)); attempt('init', lambda: list(1, 2)); attempt('init', lambda: list(iterable=[])); attempt('cat', lambda: [] + ()); attempt('cat', lambda: [] + 1); attempt('mul', lambda: [] * 'a'); attempt('mul', lambda: [1] * 1.5)
attempt('mul', lambda: [1] * 2**70); attempt('mem', lambda: [1, 2] * (2**62)); attempt('neg', lambda: [1] * -2**70)
print([1, 2] * 3, 3 * [0], [1] * 0, [1] * -1, [] * 5, [1] + [2, 3], [I(1).i] * True)
z = [1, 2]; w = z; z *= 3; print(z, w is z); z *= 0; print(z, w); z += z; z.append(1); z += z; z.extend(z); print(z)
# slice assignment
a = list(range(10)); a[2:5] = ['x']; print(a); a[2:2] = [1, 2, 3]; print(a); a[::2] = [0] * len(a[::2]); print(a); a[5:2] = ['ins']; print(a)
a[-3:] = []; print(a); del a[::3]; print(a); del a[1:3]; print(a); del a[::-1]; print(a); a[:] = range(5); print(a); a[:] = a; print(a); a[1:1] = a; print(a)
a = list(range(10)); del a[8:1:-3]; print(a); del a[100:]; del a[3:1]; print(a); a[::-1] = a[:]; print(a); a[::-1] = list(a); print(a)
attempt('ext', lambda: a.__setitem__(slice(None, None, 2), [1])); attempt('ext', lambda: a.__setitem__(slice(None, None, 2), 5)); attempt('ass', lambda: a.__setitem__(slice(0, 1), 5)); attempt('ext -1', lambda: [1, 2].__setitem__(slice(None, None, -1), 'abc'))
a[0:3] = (i * i for i in range(4)); print(a)
# comparison
print([1, 2] == [1, 2], [1, 2] != [1, 3], [1, 2] < [1, 3], [1, 2] < [1, 2, 0], [2] > [1, 5], [] <= [], [1] >= [2], [1] == (1,), [[1], 2] == [[1], 2])
attempt('cmp', lambda: [1] < ['a']); attempt('cmp', lambda: [1] < 2); attempt('hash', lambda: hash([]))
r = []; r.append(r); print(r, [r]); r2 = []; r2.append(r2)
attempt('deep', lambda: r == r2)
class E:
    def __eq__(self, o): a.clear(); return False
a = [E(), E(), 3]
print(3 in a, a); a = [E(), 3]; a = [E(), E()]; print(a == [1, 2])
class L(list):
    pass
s = L([1, 2]); s.x = 1
print(s, type(s + [3]), type(s * 2), type(s[:]), type(s.copy()), s.x, L('ab'), repr(L()), s == [1, 2])
print(list[int], list.__doc__[:20], list.__hash__, [].__len__(), [1].__contains__(1), list.append)
it = iter([1, 2, 3]); next(it); print(it.__length_hint__(), it.__reduce__()[1:], list(it), it.__reduce__()[1:], it.__length_hint__())
it = reversed([1, 2, 3]); next(it); print(type(it).__name__, it.__length_hint__(), it.__reduce__()[1:], list(it), it.__reduce__()[1:])
it = iter([1, 2, 3]); it.__setstate__(2); print(list(it)); it = iter([1, 2, 3]); it.__setstate__(-5); print(list(it)); it.__setstate__(0); print(list(it))
it = reversed([1, 2, 3]); it.__setstate__(0); print(list(it)); it = reversed([1, 2, 3]); it.__setstate__(10); print(list(it))
g = [1, 2, 3]; out = []
for i in g:
    out.append(i)
    if len(g) < 6: g.append(i * 10)
print(out, g)
g = [1, 2, 3, 4]
for i in g: g.remove(i)
print(g)
it = iter(g); print(list(it)); g.append(9); print(list(it))
print([*range(3), *'ab', *()], [i for i in range(5) if i % 2])
u, *v, t = [1, 2, 3, 4]; print(u, v, t)
print(sorted([3, 1, 2]), max([1, 3, 2]), sum([1, 2]), any([0, 1]), all([]), list(map(str, [1, 2])), list(zip([1], 'a')))


class Derived(list):
    pass


derived = Derived([1, 2])
derived.extend(derived)
derived += derived
derived[1:1] = derived
print(derived)
