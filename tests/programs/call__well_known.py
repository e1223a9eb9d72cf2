# Calls of builtins and methods that programs call most: plain ones, unusual ones, and what takes their names.
import sys
import threading
import weakref


class Sized:
    def __len__(self):
        return 7


class Sequence(list):
    def append(self, item):
        super().append(("own", item))


class Mapping(dict):
    def get(self, key, default=None):
        return "own", key, default


class Dying:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone", self.name)


class Liar:
    @property
    def __class__(self):
        return int


class Borrower:
    append = list.append
    length = len

    def __len__(self):
        return 3


def fails(function, *args):
    try:
        function(*args)
    except Exception as error:
        # The text for what is unhashable is 3.14's own.
        print(type(error).__name__, "" if "unhashable" in str(error) else error)


def lengths():
    for of in [], [1], (), (1, 2), "", "abc", "다람쥐", {}, {1: 2}, b"", b"ab", bytearray(3), {1, 2}, range(9), Sized(), Sequence("ab"):
        print(len(of), end=" ")
    print(Borrower().length([1, 2]), len(Borrower()))
    fails(lambda: len(5))
    fails(lambda: len())
    fails(lambda: len([], []))
    fails(lambda: Borrower().length())


def numbers():
    nan = float("nan")
    print(abs(-5), abs(5), abs(-2.5), abs(-0.0), abs(True), abs(3 + 4j), abs(-(1 << 62)), abs(-(1 << 61)))
    print(max(1, 2), max(2, 1), min(1, 2), min(2, 1), max(1, 1.0), max(1.0, 1), min(True, 1), max(2.5, -2.5), min(2.5, -2.5))
    print(max(0.0, -0.0), max(-0.0, 0.0), min(0.0, -0.0), max(nan, 1.0), max(1.0, nan), min(nan, 1.0), min(1.0, nan))
    print(max("a", "b"), min([3, 1, 2]), max(1, 2, 3), max([], default=4), max(1, -2, key=abs))
    print(ord("a"), ord("é"), ord("다"), ord(b"x"))
    fails(lambda: ord("ab"))
    fails(lambda: ord(""))
    fails(lambda: max(1, "a"))
    fails(lambda: abs("a"))


def instances():
    print(isinstance(1, int), isinstance(True, int), isinstance(1, bool), isinstance(Sequence(), list), isinstance([], Sequence))
    print(isinstance(1, (str, int)), isinstance(1, (str, (float, int))), isinstance(1, ()), isinstance(1, int | str))
    print(isinstance(Liar(), int), isinstance(Liar(), Liar), isinstance(Liar(), str), isinstance(Liar(), (str, int)))
    print(isinstance(int, type), isinstance(Liar, type), Liar().__class__, (5).__class__, Sequence().__class__.__name__)
    fails(lambda: isinstance(1, 5))
    fails(lambda: isinstance(1, (str, 5)))
    fails(lambda: isinstance(1))


def lists():
    items = []
    add = items.append
    add(1)
    items.append(2)
    print(items.append(3), list.append(items, 4), items, items.pop(), items.pop(0), items.pop(-1), items)
    items.append(items)
    print(items, items.pop() is items)
    own = Sequence()
    own.append(1)
    print(own, own.pop())
    fails(lambda: Borrower().append(1))
    fails(lambda: [].pop())
    fails(lambda: [].append())
    fails(lambda: [1].pop(5))
    kept = [Dying("popped")]
    kept.pop()
    print("after pop")
    kept = kept.append(Dying("appended"))
    print("after append", kept)
    for n in range(1000):
        items.append(n)
    print(len(items), sum(items[1:]), sys.getrefcount(items) - sys.getrefcount([]))


def dicts():
    table = {"a": 1, 2: "b", None: 3, int: "class", (1, 2): "pair", 1.5: "float"}
    print([table.get(key) for key in ("a", 2, None, int, (1, 2), 1.5, "x", 9, str, (2, 1), 2.0, True)])
    print([table.get(key, "-") for key in ("a", "x", 3, int, str)], table.get("x", None), Mapping(a=1).get("a"))
    print("a" in table, "b" in table, 2 in table, 3 not in table, int in table, str in table, (1, 2) in table, "a" not in table)
    fails(lambda: table.get([]))
    fails(lambda: [] in table)
    fails(lambda: table.get())
    fails(lambda: table.get(1, 2, 3))
    print(table.get("a", Dying("default")))
    print(table.get("x", Dying("given")).name)
    watched = Dying("value")
    seen = weakref.ref(watched)
    table["w"] = watched
    del watched
    print(table.get("w") is seen(), table.pop("w").name, seen())


def texts():
    parts = ["he", "llo"]
    made = "".join(parts)
    for other in "hello", "hella", "hell", "", "héllo", "다람쥐", made, made * 5:
        print(made == other, made != other, end=" ")
        if other == "hello":
            print("same", end=" ")
        if not other != "hello":
            print("not other", end=" ")
    print("a" == 1, "a" != 1, "a" < "b")


def shadowed(len, isinstance):
    print(len([1]), isinstance(1, int))


class Indexed:
    def __getitem__(self, key):
        if key is None:
            raise KeyError("none")
        return key, len(self.name)

    name = "four"


def items():
    indexed = Indexed()
    print(indexed[1], indexed["a"], indexed[1:2], [indexed[n] for n in range(2)], indexed[indexed[0]])
    fails(lambda: indexed[None])
    Indexed.__getitem__ = lambda self, key, more=5: (key, more)
    print(indexed[1])
    del Indexed.__getitem__
    fails(lambda: indexed[1])


def defaults(a, b=2, c=[]):
    c.append(a)
    return a, b, len(c)


def classes_of(objects, out):
    for _ in range(300):
        for obj in objects:
            if obj.__class__ is not type(obj):
                out.append(obj)


lengths()
numbers()
instances()
lists()
dicts()
texts()
shadowed(lambda of: "own len", lambda of, cls: "own isinstance")
items()
print(defaults(1), defaults(1, 3), defaults(1, c=[]), defaults(1), defaults(a=5))
fails(lambda: defaults())
defaults.__defaults__ = (7,)
fails(lambda: defaults(1))
print(defaults(1, 2, []))
wrong = []
objects = [1, "a", [], Sized(), Sequence(), Indexed()]
threads = [threading.Thread(target=classes_of, args=(objects, wrong)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(wrong)
