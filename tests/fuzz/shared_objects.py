# Several threads call random methods and operators on the same objects of every builtin kind. Any exception is fine; a signal, a panic
# or a hang is not. Arguments: seed, steps a thread, threads.
import _thread
import sys

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 1
STEPS = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
THREADS = int(sys.argv[3]) if len(sys.argv) > 3 else 4


class Random:
    def __init__(self, seed):
        self.state = seed * 2654435761 % 2**64

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n

    def choice(self, items):
        return items[self.below(len(items))]


class Plain:
    shared = 0

    def method(self, *args):
        return args


class Slotted:
    __slots__ = ("a", "b", "__weakref__")


class Ordered(list):
    pass


class Mapped(dict):
    def __missing__(self, key):
        return key


def generator():
    total = 0
    while True:
        got = yield total
        total += 1
        if total > 50 or got == 7:
            return total


def closure():
    cell = 0

    def inner(*args):
        nonlocal cell
        cell = len(args)
        return cell

    return inner


def make(random):
    """A fresh object of some kind."""
    kinds = [
        lambda: [1, 2, 3],
        lambda: {"a": 1, 2: "b", (1, 2): None},
        lambda: {1, 2, "x"},
        lambda: bytearray(b"some bytes"),
        lambda: iter([1, 2, 3, 4]),
        lambda: iter({1: 2, 3: 4}),
        lambda: iter({5, 6}),
        lambda: iter({1: 2}.items()),
        lambda: reversed([1, 2, 3]),
        lambda: zip([1, 2], [3, 4]),
        lambda: map(str, [1, 2, 3]),
        lambda: filter(None, [0, 1, 2]),
        lambda: enumerate("abc"),
        lambda: generator(),
        lambda: closure(),
        lambda: Plain(),
        lambda: Slotted(),
        lambda: Ordered([3, 2, 1]),
        lambda: Mapped(a=1),
        lambda: {"k": [1]}.keys(),
        lambda: {"k": [1]}.values(),
        lambda: ValueError("x", 1),
        lambda: property(len),
        lambda: type("Made", (Plain,), {"x": 1}),
        lambda: memoryview(bytearray(b"abcdef")),
        lambda: frozenset([1, 2]),
        lambda: range(5),
        lambda: slice(1, 2),
        lambda: (1, [2], "3"),
        lambda: "some text",
        lambda: b"text",
        lambda: 10**20,
        lambda: 1.5,
        lambda: super(Ordered, Ordered()),
        lambda: [].append,
        lambda: Plain().method,
        lambda: _thread.allocate_lock(),
        lambda: _thread.RLock(),
        lambda: _thread._local(),
    ]
    return random.choice(kinds)()


# What would end the process, block for good, or make an object too large to be of use.
AVOID = {"__pow__", "__rpow__", "__lshift__", "__rlshift__", "acquire", "acquire_lock", "__enter__", "_acquire_restore", "__class__", "__getstate__", "__reduce__", "__reduce_ex__"}
OPERATORS = [
    lambda a, b: a == b,
    lambda a, b: a < b,
    lambda a, b: a + b,
    lambda a, b: a | b,
    lambda a, b: a in b,
    lambda a, b: a[0],
    lambda a, b: a[b],
    lambda a, b: a[:2],
    lambda a, b: len(a),
    lambda a, b: repr(a)[:50],
    lambda a, b: hash(a),
    lambda a, b: list(zip(range(20), a)),
    lambda a, b: next(a),
    lambda a, b: a.send(b),
    lambda a, b: a.__setitem__(0, b),
    lambda a, b: a.__setitem__(slice(0, 2), [b]),
    lambda a, b: a.__delitem__(0),
    lambda a, b: setattr(a, "a", b),
    lambda a, b: getattr(a, "a"),
    lambda a, b: delattr(a, "a"),
    lambda a, b: setattr(type(a), "shared", b),
    lambda a, b: a.__dict__.update(z=b),
    lambda a, b: a.__dict__.clear(),
    lambda a, b: setattr(a, "__dict__", {"a": b}),
    lambda a, b: setattr(a, "__class__", type(b)),
    lambda a, b: a.sort(key=lambda x: str(x)[:9]),
    lambda a, b: a.extend(b),
    lambda a, b: a.update(b),
    lambda a, b: a.pop(),
    lambda a, b: a.clear(),
    lambda a, b: a.copy(),
    lambda a, b: isinstance(a, type(b)),
    lambda a, b: a(b),
]


def step(random, shared):
    a, b = bounded(random, shared), bounded(random, shared)
    if random.below(8) == 0:
        shared[random.below(len(shared))] = make(random)
        return
    if (hasattr(b, "__next__") or isinstance(b, Ordered)) and not hasattr(a, "__next__"):
        # An iterator of the list that it extends never ends; nor do two lists that extend each other and are no plain ones.
        b = 3
    if random.below(2):
        random.choice(OPERATORS)(a, b)
        return
    names = [n for n in dir(a) if n not in AVOID]
    method = getattr(a, random.choice(names))
    args = [(), (b,), (0,), (1, b), ("a",), (-1,)][random.below(6)]
    result = method(*args)
    if random.below(4) == 0:
        size = result.__sizeof__() if isinstance(result, (list, str, bytes, bytearray, int, tuple)) else 0
        if size < 2000:
            shared[random.below(len(shared))] = result


def bounded(random, shared):
    """One of the objects; what has grown large is replaced, so that nothing grows without bound."""
    at = random.below(len(shared))
    item = shared[at]
    try:
        large = len(item) > 300
    except Exception:
        large = isinstance(item, int) and item > 2**2000
    if large:
        shared[at] = item = make(random)
    return item


def work(seed, shared, done):
    random = Random(seed)
    try:
        for i in range(STEPS):
            try:
                step(random, shared)
            except Exception:
                pass
    finally:
        done.release()


start = Random(SEED)
shared = [make(start) for _ in range(24)]
locks = []
for n in range(THREADS):
    lock = _thread.allocate_lock()
    lock.acquire()
    locks.append(lock)
    _thread.start_new_thread(work, (SEED * 1000 + n + 1, shared, lock))
for lock in locks:
    lock.acquire()
print("done")
