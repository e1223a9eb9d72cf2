def f(a, b=2, *c, d=4, **e):
    return (a, b, c, d, len(e))
print(f(1), f(1, 3, 4, 5, d=6, z=7))


class A:
    x = 1

    def __init__(self, y):
        self.y = y

    def m(self):
        return self.x + self.y


class B(A):
    def m(self):
        return super().m() * 10


print(B(5).m(), B.__mro__)


def g(n):
    for i in range(n):
        yield i * i


print(list(g(5)), sum(g(10)))
try:
    1 / 0
except ZeroDivisionError as e:
    print("caught", e)
print([x for x in range(10) if x % 2], {1, 2, 3}, {**{1: 2}, 3: 4}, [*range(3)])
s = 0
for i in range(100000):
    s += i
print(s)


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


print(fib(18))


class C:
    def __init__(self, a):
        self.a = a

    @property
    def b(self):
        return self.a * 2

    @classmethod
    def make(cls):
        return cls(9)

    @staticmethod
    def st(x):
        return x + 1

    def __add__(self, o):
        return C(self.a + o.a)

    def __len__(self):
        return 3

    def __iter__(self):
        return iter([1, 2])

    def __getitem__(self, i):
        return i

    def __eq__(self, o):
        return self.a == o.a


print(C(3).b, C.make().a, C.st(4), (C(1) + C(2)).a, len(C(1)), list(C(1)), C(1)[7], C(1) == C(1), C(1) != C(2))


def gen():
    try:
        x = yield 1
        print(x)
        yield 2
    finally:
        print(99)


it = gen()
print(next(it))
print(it.send(5))
it.close()


def outer():
    c = 0

    def inner():
        nonlocal c
        c += 1
        return c

    return inner


inner = outer()
inner()
print(inner())


class E(Exception):
    pass


def t():
    try:
        try:
            raise E(1)
        finally:
            print(5)
    except E as e:
        return e.args


print(t())
log = []


class W:
    def __enter__(self):
        return 1

    def __exit__(self, *a):
        log.append(a[0])
        return True


with W() as w:
    raise ValueError(1)
print(log, w)
match (1, 2, [3]):
    case (a, b, [c]):
        print(a, b, c)
a, *b = range(5)
print(a, b)
print(sorted([3, 1, 2], key=lambda x: -x), max(1, 2), sum([1.5, 2]))
d = {}
for i in range(1000):
    d[i] = i
print(len(d), d[500], 3 in d, d.get(5000))
x = [i for i in range(100000)]
print(len(x), x[-1], x[2:5], 2**100, 7 // 2, -7 // 2, -7 % 3, 1 / 3, 10**20 // 7)
print(True + 1, 1 < 2 < 3, not 1, None is None, (1, 2) < (1, 3), [1] + [2] * 2)
