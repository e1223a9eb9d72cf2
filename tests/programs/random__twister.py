# The Mersenne Twister gives the same numbers for the same seed as in CPython.
import _random


def attempt(f, *args):
    try:
        return f(*args)
    except (ValueError, TypeError, OverflowError) as e:
        return type(e).__name__


r = _random.Random(42)
print([r.random() for _ in range(5)], [r.getrandbits(k) for k in (1, 5, 31, 32, 33, 64, 100, 1000)], r.getrandbits(0))
for seed in (0, 1, -1, 2**32, 2**70, -(2**100), True):
    r.seed(seed)
    print(seed, r.random(), r.getrandbits(64))
r.seed(1.5)
print(r.random())
state = r.getstate()
print(len(state), state[-1], hash(state))
first = [r.random() for _ in range(1000)]
r.setstate(state)
print(first == [r.random() for _ in range(1000)], first[-1])
for bad in (1, (1,), ("a",) * 625, (1,) * 624 + (700,), (-1,) * 625):
    print(attempt(r.setstate, bad))
print(attempt(r.getrandbits, -1), attempt(r.getrandbits, "a"), attempt(r.seed, []), attempt(_random.Random, 1, 2))
r.seed()
print(0 <= r.random() < 1, _random.Random().random() != _random.Random().random())


class Sub(_random.Random):
    pass


s = Sub(5)
print(s.random(), type(s).__mro__[1].__name__)
