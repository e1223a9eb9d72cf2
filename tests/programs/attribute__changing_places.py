# Attributes that are read again and again at one place of the code while what holds them changes: dicts of instances, classes, descriptors, `__getattr__`.


def read(obj):
    try:
        return obj.a
    except AttributeError as error:
        return f"AttributeError: {error}"


def call(obj):
    try:
        return obj.m()
    except (AttributeError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


def again(what, function, obj):
    print(what, *[function(obj) for _ in range(4)])


class Plain:
    a = "class"

    def m(self):
        return "method"


class WithDict(Plain):
    pass


obj = WithDict()
again("class", read, obj)
vars(obj)["b"] = 1
again("class, with a dict", read, obj)
vars(obj)["a"] = "own"
again("own, in the dict", read, obj)
del vars(obj)["a"]
again("gone again", read, obj)
again("method, with a dict", call, obj)
obj.m = lambda: "own function"
again("own function", call, obj)
del obj.m
again("method again", call, obj)
WithDict.m = lambda self: "other method"
again("other method", call, obj)
WithDict.a = property(lambda self: "property")
vars(obj)["a"] = "hidden"
again("property", read, obj)
del WithDict.a
again("no longer hidden", read, obj)
vars(obj)[1] = 2
again("other keys", read, obj)
obj.__dict__ = {"a": "new dict", "m": lambda: "of the new dict"}
again("new dict", read, obj)
again("new dict", call, obj)
other = WithDict()
again("another instance", read, other)
again("another instance", call, other)
obj.__class__ = Plain
obj.__dict__ = {}
again("another class", read, obj)
again("another class", call, obj)


class Key(str):
    __slots__ = ()

    def __hash__(self):
        return hash("a")

    def __eq__(self, name):
        return name == "a"


keyed = Plain()
vars(keyed)[Key("z")] = "by a key that says so"
again("odd key", read, keyed)


class Hook:
    present = "there"

    def __init__(self):
        self.x = 1

    def __getattr__(self, name):
        return f"made {name}"

    def m(self):
        return "method"

    @property
    def broken(self):
        raise AttributeError("inside")

    @property
    def failing(self):
        raise ValueError("inside")


def several(obj):
    return obj.x, obj.present, obj.m(), obj.a, obj.broken, obj.__class__.__name__


hook = Hook()
again("hook", several, hook)
hook.a = "own"
again("own", read, hook)
del hook.a
again("made", read, hook)
vars(hook)["k"] = 0
again("hook, with a dict", several, hook)
for _ in range(3):
    try:
        hook.failing
    except ValueError as error:
        print("ValueError", error)
print(hasattr(hook, "anything"), getattr(hook, "anything", None))
del Hook.__getattr__
again("no hook", read, hook)


def missing(self, name):
    raise AttributeError(f"no {name}")


Hook.__getattr__ = missing
again("hook that fails", read, hook)
try:
    hook.nothing
except AttributeError as error:
    print(error.name, error.obj is hook)
Hook.__getattribute__ = lambda self, name: f"all {name}"
again("all", read, hook)
del Hook.__getattribute__
again("hook that fails", read, hook)


class Base:
    def __getattr__(self, name):
        return f"base {name}"


class Derived(Base):
    def __getattribute__(self, name):
        if name == "a":
            raise AttributeError
        return object.__getattribute__(self, name)


again("derived", read, Derived())


class Descriptor:
    def __init__(self, value):
        self.value = value

    def __get__(self, obj, owner=None):
        return self.value, type(obj).__name__, owner.__name__


class Holder:
    a = Descriptor("described")


holder = Holder()
again("descriptor", read, holder)
holder.a = "own"
again("own", read, holder)
vars(holder)["c"] = 1
again("own, in a dict", read, holder)
Descriptor.__get__ = lambda self, obj, owner: "another reader"
again("another reader", read, Holder())
again("of the class", read, Holder)


class Raising:
    def __get__(self, obj, owner):
        raise AttributeError("from the descriptor")


class Raises:
    a = Raising()


again("raising", read, Raises())
Raises.__getattr__ = lambda self, name: f"instead of {name}"
again("raising, with a hook", read, Raises())


class Meta(type):
    @property
    def a(cls):
        return f"meta {cls.__name__}"


class Made(metaclass=Meta):
    pass


again("metaclass", read, Made)


def names(cls):
    return cls.__name__, cls.__qualname__, cls.__module__, cls.__class__.__name__, cls.__mro__[-1].__name__


again("names", names, Made)
Made.__name__ = "Renamed"
again("names", names, Made)
again("names", names, int)
