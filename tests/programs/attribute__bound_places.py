"""One place of code that reads attributes of many kinds and classes: methods bound, class attributes, modules, members, properties."""

import math
import enum


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Plain:
    kind = "plain"

    def __init__(self, value):
        self.value = value

    def method(self):
        return self.value


class Slotted:
    __slots__ = ("value",)
    kind = "slotted"

    def __init__(self, value):
        self.value = value

    def method(self):
        return -self.value


class Computed:
    kind = property(lambda self: "computed")

    @property
    def value(self):
        return 7

    @classmethod
    def method(cls):
        return cls.__name__


class Dynamic:
    def __getattr__(self, name):
        return lambda: name if name == "method" else None


class Many:
    kind = "many"

    def __init__(self, value):
        for n in range(12):
            setattr(self, f"a{n}", n)
        self.value = value

    def method(self):
        return self.a11


def read(obj):
    bound = obj.method
    return bound(), obj.method(), obj.value if not isinstance(obj, Dynamic) else None, obj.kind if not isinstance(obj, Dynamic) else None


def turns():
    objects = [Plain(1), Slotted(2), Computed(), Many(3), Plain(4), Dynamic()]
    seen = [read(obj) for _ in range(40) for obj in objects]
    return seen[:6], all(seen[n] == seen[n % 6] for n in range(len(seen)))


def changes():
    def get(obj):
        return obj.method

    one, two = Plain(1), Plain(2)
    for _ in range(5):
        assert get(one)() == 1
    one.method = lambda: "own"
    print(get(one)(), get(two)())
    Plain.method = lambda self: "new"
    print(get(one)(), get(two)())
    Plain.method = staticmethod(lambda: "static")
    print(get(two)())
    Plain.method = 5
    print(get(two))
    del Plain.method
    try:
        get(two)
    except AttributeError as error:
        print(error)
    Plain.method = lambda self: self.value
    print(get(two)())


def functions():
    def call(module, x):
        return module.floor(x)

    class Other:
        @staticmethod
        def floor(x):
            return "other"

    print([call(where, 2.5) for where in (math, Other, Other(), math, math)])
    kept = math.floor
    math.floor = lambda x: "patched"
    print(call(math, 2.5))
    math.floor = kept
    print(call(math, 2.5))


def classes():
    def red(cls):
        return cls.RED

    class Palette:
        RED = "red"

    class Meta(type):
        pass

    class WithMeta(metaclass=Meta):
        RED = "meta"

    for cls in (Color, Palette, WithMeta) * 3:
        red(cls)
    print(red(Color), red(Palette), red(WithMeta))
    Palette.RED = "changed"
    Meta.RED = property(lambda cls: "from the metaclass")
    print(red(Palette), red(WithMeta))
    appended = [].append, {}.get, "x".join
    print([method.__name__ for method in appended])
    for method in (lst.append for lst in [[1], [2]]):
        print(method.__self__)


print(turns())
changes()
functions()
classes()


class Calls:
    """Instances whose attributes are called."""

    def __init__(self, n):
        self.stack = []
        self.append = self.stack.append
        self.n = n
        if n % 2:
            self.more = 1
        self.act = lambda x: (self.n, x)

    def run(self):
        self.append(self.n)
        return self.act(5), self.stack


class Overridden(Calls):
    def act(self, x):
        return "method", x

    def __init__(self, n):
        self.stack = []
        self.append = [].append
        self.n = n


def called_attributes():
    objects = [Calls(0), Calls(1), Overridden(2), Calls(4)]
    results = [obj.run() for _ in range(3) for obj in objects]
    print(results[-4:])
    objects[0].append = print
    objects[0].run()
    del objects[1].append
    try:
        objects[1].run()
    except AttributeError as error:
        print(error)
    Calls.append = lambda self, n: print("class", n)
    objects[1].run()
    objects[3].run()
    print(len(objects[3].stack))


def truths():
    class Long:
        def __len__(self):
            return 0

    class Untrue:
        def __bool__(self):
            return False

    class Listed(list):
        def __bool__(self):
            return True

    values = ["", "x", [], [0], {}, {1: 2}, (), (0,), b"", b"x", object(), Long(), Untrue(), Listed(), 0.0, 1.5, set(), {1}, None, ...]
    for _ in range(2):
        seen = []
        for value in values:
            if value:
                seen.append(1)
            else:
                seen.append(0)
            if not (value or value):
                seen.append("n")
            seen.append("t" if [value][0] else "f")
        print(*seen)


called_attributes()
truths()
