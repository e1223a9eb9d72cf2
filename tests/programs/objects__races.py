"""What threads read of classes, closures, functions, slots and modules while others change them is always one of the values it had."""
import threading
import types
import weakref

wrong = set()


def race(name, make, read, *writes, rounds=12, loops=60):
    for _ in range(rounds):
        shared, start = make(), threading.Barrier(2 + len(writes))

        def run(f):
            start.wait()
            for k in range(loops):
                try:
                    if f(shared, k) is False:
                        wrong.add(name)
                except AttributeError as e:
                    wrong.add(f"{name}: {e}")

        threads = [threading.Thread(target=run, args=(f,)) for f in (read, read, *writes)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    print(name)


class Base1:
    def method(self):
        return 1


class Base2:
    def method(self):
        return 2


class Derived(Base1):
    value = "class 0"


class Other(Base1):
    value = "class other"


class Slots:
    __slots__ = ("a", "b")


def change_class(obj, k):
    if k % 3 == 0:
        Derived.value = f"class {k}"
    elif k % 3 == 1:
        Derived.extra = k
    elif "extra" in Derived.__dict__:
        try:
            del Derived.extra
        except AttributeError:
            pass


def quiet_delete(obj, name):
    try:
        delattr(obj, name)
    except AttributeError:
        pass


def cell():
    value = [0]

    def get():
        return value

    def put(x):
        nonlocal value
        value = [x]

    return get, put


def function(a, b=1, *, c=2):
    return a + b + c


def slots():
    made = Slots()
    made.a = [1]
    return made


def module():
    made = types.ModuleType("made")
    made.kept = 1
    return made


class Node:
    pass


race(
    "class attributes",
    Derived,
    lambda o, k: o.value.startswith("class") and Derived.value.startswith("class"),
    change_class,
    lambda o, k: setattr(Derived, f"z{k % 5}", k),
)
race(
    "bases",
    Derived,
    lambda o, k: o.method() in (1, 2),
    lambda o, k: setattr(Derived, "__bases__", (Base1,) if k & 1 else (Base2,)),
    lambda o, k: setattr(Derived, "q", k),
    rounds=6,
)
Derived.__bases__ = (Base1,)
race(
    "__class__",
    Derived,
    lambda o, k: o.value.startswith("class"),
    lambda o, k: setattr(o, "__class__", Other if k & 1 else Derived),
    lambda o, k: setattr(o, "own", k),
)
race("closures", cell, lambda o, k: len(o[0]()) == 1, lambda o, k: o[1](k), lambda o, k: o[1]((k,)))
race(
    "defaults",
    lambda: function,
    lambda o, k: o(1) >= 1,
    lambda o, k: setattr(o, "__defaults__", (k,)),
    lambda o, k: setattr(o, "__kwdefaults__", {"c": k}),
)
race(
    "slots",
    slots,
    lambda o, k: len(o.a) == 1,
    lambda o, k: setattr(o, "a", [k]),
    lambda o, k: (setattr(o, "b", 1), quiet_delete(o, "b")) and None,
)
race(
    "modules",
    module,
    lambda o, k: o.kept == 1,
    lambda o, k: setattr(o, f"a{k}", k),
    lambda o, k: (setattr(o, "b", 1), quiet_delete(o, "b")) and None,
)


def referenced():
    node = Node()
    return [node, weakref.ref(node)]


race(
    "weak references",
    referenced,
    lambda o, k: type(o[1]()) in (Node, type(None)),
    lambda o, k: o.__setitem__(0, None) if k == 30 else None,
)
print(sorted(wrong))
