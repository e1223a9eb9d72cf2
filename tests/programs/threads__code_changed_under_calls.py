"""Threads call what others change meanwhile: defaults, properties, static and class methods, bases, modules, slots, lists that change hands."""

import math
import threading
import types

END = threading.Event()


def beside(change, *, readers=2, turns=400):
    """Runs what `change` returns in threads until `change` has made its turns; the set of all results, sorted."""
    END.clear()
    read, turn = change()
    seen = [set() for _ in range(readers)]

    def reader(found):
        while True:
            for _ in range(50):
                found.add(read())
            if END.is_set():
                break

    threads = [threading.Thread(target=reader, args=(found,)) for found in seen]
    for thread in threads:
        thread.start()
    for n in range(turns):
        turn(n)
    END.set()
    for thread in threads:
        thread.join()
    return set().union(*seen)


def defaults():
    def called(a, b="b0", c="c0"):
        return (a, b, c)

    def turn(n):
        called.__defaults__ = (f"b{n % 3}", f"c{n % 3}")

    return lambda: called("a"), turn


def properties():
    class Has:
        @property
        def value(self):
            return "value 0"

    has, prop = Has(), Has.__dict__["value"]

    def turn(n):
        prop.__init__(lambda self: f"value {n % 3}")

    return lambda: has.value, turn


def wrapped():
    class Has:
        @staticmethod
        def plain():
            return "plain 0"

        @classmethod
        def of(cls):
            return f"{cls.__name__} 0"

    static, bound = Has.__dict__["plain"], Has.__dict__["of"]

    def turn(n):
        static.__init__(lambda: f"plain {n % 3}")
        bound.__init__(lambda cls: f"{cls.__name__} {n % 3}")

    return lambda: (Has.plain()[:5], Has().of()[:3]), turn


def bases():
    class One:
        def name(self):
            return "one"

    class Two:
        def name(self):
            return "two"

    class Has(One):
        def name(self):
            return "has " + super().name()

    has = Has()

    def turn(n):
        Has.__bases__ = (Two,) if n % 2 else (One,)

    return lambda: (has.name(), isinstance(has, Has), isinstance(has, (int, str))), turn


def modules():
    module = types.ModuleType("changed")
    module.ask = lambda: "ask 0"
    module.text = "text 0"

    def turn(n):
        module.ask = lambda: f"ask {n % 3}"
        module.text = f"text {n % 3}"
        if n % 50 == 0:
            setattr(module, f"more_{n}", n)

    return lambda: (module.ask()[:4], module.text[:5], math.floor(2.5)), turn


def globals_changed():
    space = {"__name__": "made", "value": "value 0"}
    exec("def read(): return (value[:6], len(value))\ndef make(): return (lambda: 0).__module__", space)

    def turn(n):
        space["value"] = [f"value {n % 3}", ("value ", 0, 0, 0, 0, 0, 0)][n % 2]
        if n % 20 == 0:
            space[f"more_{n}"] = n

    return lambda: (len(space["read"]()), space["make"]()), turn


def attributes():
    class Has:
        __slots__ = ("inner", "call")

    class Free:
        pass

    slotted, free = Has(), Free()
    slotted.inner = free.inner = "inner 0"
    slotted.call = free.call = lambda: "call 0"

    def turn(n):
        slotted.inner, free.inner = f"inner {n % 3}", f"inner {n % 3}"
        slotted.call, free.call = (lambda: f"call {n % 3}"), type(f"Made{n % 3}", (), {"__new__": lambda cls: "call 9"})

    return lambda: (slotted.inner[:5], free.inner[:5], slotted.call()[:4], free.call()[:4]), turn


def classes():
    class Has:
        kind = "kind 0"

        def ask(self):
            return "ask 0"

    has = Has()

    def turn(n):
        Has.kind = f"kind {n % 3}"
        Has.ask = lambda self: f"ask {n % 3}"
        if n % 10 == 0:
            del Has.kind
            Has.kind = property(lambda self: "kind p")

    def read():
        try:
            return (has.kind[:4], has.ask()[:3])
        except AttributeError:
            return ("kind", "ask")

    return read, turn


for change in (defaults, properties, wrapped, bases, modules, globals_changed, attributes, classes):
    found = beside(change)
    if change is defaults:
        assert found <= {("a", f"b{n}", f"c{n}") for n in range(3)}, found
    elif change is properties:
        assert found <= {f"value {n}" for n in range(3)}, found
    elif change is bases:
        assert found <= {("has one", True, False), ("has two", True, False)}, found
    else:
        assert len(found) == 1, found
    print(change.__name__, "as it should be")


class Box:
    """Its lists begin as one thread's own and are then taken by others."""

    def __init__(self):
        self.items, self.table, self.count = [], {}, 0


def fill(box, n):
    for i in range(n):
        box.items.append(i)
        box.table[i % 7] = box.table.get(i % 7, 0) + 1
        box.count = box.items[-1] + 1


def use(boxes, totals):
    total = 0
    for box in boxes:
        for item in box.items:
            total += item
        total += sum(box.table.values()) + [x for x in box.items][0] + box.items[3]
        box.items[0] = box.items[0]
        box.items.append(box.items.pop())
        total += (3 in box.table) + box.count
    totals.append(total)


boxes, totals = [], []


def maker():
    for _ in range(60):
        box = Box()
        fill(box, 50)
        boxes.append(box)


makers = [threading.Thread(target=maker) for _ in range(3)]
for thread in makers:
    thread.start()
for thread in makers:
    thread.join()
for _ in range(5):
    users = [threading.Thread(target=use, args=(boxes[k::3], totals)) for k in range(3)]
    for thread in users:
        thread.start()
    for thread in users:
        thread.join()
print(len(boxes), sum(totals), {len(box.items) for box in boxes}, {tuple(sorted(box.table.values())) for box in boxes})

# The same list, dict and object used by all at once.
shared = Box()


def together():
    for i in range(2000):
        shared.items.append(i)
        shared.table[i % 11] = i
        shared.count = i
        if shared.items:
            shared.items[0], shared.items[-1]
        shared.table.get(i % 11), i % 11 in shared.table


threads = [threading.Thread(target=together) for _ in range(4)]
fill(shared, 10)
for thread in threads:
    thread.start()
together()
for thread in threads:
    thread.join()
print(len(shared.items), len(shared.table), sum(shared.items) - 45)
