"""One place of the code reads attributes of every kind, in turns, while classes change."""

import sys


class Plain:
    kind = "class"

    def __init__(self, x):
        self.x = x

    def method(self, *args):
        return ("method", self.x, args)

    @property
    def double(self):
        return self.x * 2


class Slotted:
    __slots__ = ("x",)
    kind = "slotted"

    def __init__(self, x):
        self.x = x

    def method(self, *args):
        return ("slotted", self.x, args)

    @property
    def double(self):
        return self.x + self.x


class Listed(list):
    kind = "listed"

    def __init__(self, x):
        super().__init__([x])
        self.x = x

    def method(self, *args):
        return ("listed", self, self.x, args)

    @property
    def double(self):
        return [self.x, self.x]


class Both(Plain):
    __slots__ = ("more",)


def reads(obj):
    return obj.x, obj.kind, obj.double, obj.method(1), obj.__class__.__name__


def places():
    things = [Plain(1), Slotted(2), Listed(3), Both(4), Plain(5)]
    for _ in range(4):
        for thing in things:
            for _ in range(3):
                found = reads(thing)
            print(found)


def changes():
    thing = Plain(10)
    reads(thing), reads(thing)
    thing.method = lambda *args: ("own", args)
    print(reads(thing))
    del thing.method
    print(reads(thing))
    kept = Plain.method
    Plain.method = lambda self, *args: ("new", self.x, args)
    print(reads(thing), reads(Both(1)))
    Both.method = kept
    print(reads(thing), reads(Both(1)))
    del Both.method
    Plain.method = kept
    thing.kind = "own"
    print(reads(thing))
    Plain.double = property(lambda self: "other")
    print(reads(thing))
    Plain.double = 5
    print(reads(thing))
    thing.double = 6
    print(reads(thing))
    del Plain.double
    print(reads(thing))
    Plain.double = property(lambda self: self.x * 2)
    print(reads(thing))


class Other:
    kind = "other"
    double = "none"

    def method(self, *args):
        return "other", self.x


def classes():
    thing = Plain(7)
    for _ in range(3):
        print(reads(thing))
    thing.__class__ = Other
    for _ in range(3):
        print(reads(thing))
    thing.__class__ = Plain
    print(reads(thing))


class Getters:
    def __init__(self, depth):
        self.depth = depth
        self.log = []

    @property
    def deep(self):
        if self.depth == 0:
            return [sys._getframe(i).f_code.co_name for i in range(4)]
        self.depth -= 1
        return self.deep

    @property
    def fails(self):
        raise KeyError(self.depth)

    @property
    def many(self, a=1, b=2):
        c = d = e = f = g = a + b
        return a, b, c, d, e, f, g, self.depth

    @property
    def locals(self):
        return sorted(sys._getframe(1).f_locals)


def temporary(n):
    return Getters(n)


def getters():
    for _ in range(3):
        print(Getters(2).deep, temporary(1).many, temporary(3).depth)
        value = "before"
        try:
            value = temporary(4).fails
        except KeyError as error:
            print("failed", error, value, error.__traceback__.tb_next.tb_lineno - error.__traceback__.tb_lineno < 0)
        try:
            print(temporary(4).fails)
        except KeyError as error:
            print("failed", error, value)
        thing = temporary(5)
        value = thing.locals
        print(value, thing.locals + [])
    try:
        endless(Endless())
    except RecursionError as error:
        print(type(error).__name__)


class Endless:
    @property
    def more(self):
        return self.more


def endless(thing):
    return thing.more


class Initialised:
    gone = 0

    def __init__(self, how, other=None):
        local = [how]
        if how == "value":
            return local
        if how == "raise":
            raise ValueError(how)
        self.how = how
        self.other = other

    def __del__(self):
        Initialised.gone += 1


def initialised():
    for how in ("plain", "value", "raise", "again"):
        for _ in range(2):
            try:
                thing = Initialised(how, Initialised("inner"))
                print(thing.how, thing.other.how, Initialised.gone)
            except (TypeError, ValueError) as error:
                print(type(error).__name__, error)
            Initialised(how) if how == "plain" else None
    del thing
    print(Initialised.gone)


def ranges():
    total = 0
    for _ in range(3):
        for i in range(4):
            total += i
        for i in range(2, 5):
            total += i
        for i in range(5, 0, -2):
            total += i
        for i in range(10**20, 10**20 + 2):
            total += i
        for i in range(True):
            total += i
        total += sum(i for i in range(3)) + len([i for i in range(5)])
    print(total)
    for wrong in ((1, 2, 0), (), (1, 2, 3, 4), (1.5,), ("a",)):
        try:
            for i in range(*wrong):
                print(i)
            for i in range(wrong):
                print(i)
        except (TypeError, ValueError) as error:
            print(type(error).__name__, error)
    try:
        for i in range(1, 5, 0):
            print(i)
    except ValueError as error:
        print(error)
    try:
        for i in range(0.5):
            print(i)
    except TypeError as error:
        print(error)
    r = range(3)
    for i in r:
        print(i, r)


def shadowed(range):
    for i in range(3):
        print(i)


places()
changes()
classes()
getters()
initialised()
ranges()
shadowed(lambda n: ["shadowed"] * n)
shadowed(list[int] and (lambda n: iter("ab")))
