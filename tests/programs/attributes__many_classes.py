"""Places in code that see objects of many classes, while classes and objects change."""


class Base:
    kind = "base"

    def __init__(self, n):
        self.n = n
        self.shared = n * 10

    def value(self):
        return "base", self.n

    def chain(self):
        return self.value()


CLASSES = []
for i in range(12):
    body = {f"own{i}": i}
    if i % 3 == 1:
        body["value"] = lambda self, i=i: (f"own {i}", self.n)
    if i % 4 == 3:
        def __init__(self, n, i=i):
            for j in range(i):
                setattr(self, f"before{j}", j)
            Base.__init__(self, n)

        body["__init__"] = __init__
    CLASSES.append(type(f"C{i}", (Base,), body))


class Slotted:
    __slots__ = "n", "shared"
    kind = "slotted"

    def __init__(self, n):
        self.n = n
        self.shared = n * 10

    def value(self):
        return "slotted", self.n

    def chain(self):
        return self.value()


class Computed:
    kind = "computed"

    def __init__(self, n):
        self.__dict__["n"] = n

    def __getattr__(self, name):
        if name == "shared":
            return "made up"
        raise AttributeError(name)

    def __setattr__(self, name, value):
        self.__dict__[name] = ("stored", value)

    def value(self):
        return "computed", self.n

    def chain(self):
        return self.value()


def read(objects):
    return [(o.n, o.shared, o.kind) for o in objects]


def call(objects):
    return [o.chain() for o in objects]


def write(objects, v):
    for o in objects:
        o.n = v
        o.shared = o.n


objects = [c(i) for i, c in enumerate(CLASSES)] + [Slotted(100), Computed(200)]
for turn in range(5):
    print(read(objects))
    print(call(objects))
    write(objects, turn)

print("class attributes that hide and appear")
CLASSES[0].value = lambda self: "patched"
print(call(objects)[:3])
Base.value = lambda self: "all patched"
print(call(objects))
del CLASSES[0].value
print(call(objects)[:2])
CLASSES[2].n = property(lambda self: "property", lambda self, v: print("  set", v))
print(read(objects)[:4])
write(objects, 7)
print(read(objects)[:4])
del CLASSES[2].n
print(read(objects)[:4])
objects[5].value = lambda: "of the instance"
print(call(objects)[4:7])
del objects[5].value
print(call(objects)[4:7])

print("attributes that go and come back")
for o in objects[:12]:
    del o.n
for o in objects[:3]:
    try:
        o.n
    except AttributeError as e:
        print(e)
write(objects, 8)
print(read(objects)[:6])
for o, c in zip(objects[:11], CLASSES[1:]):
    o.__class__ = c
print([type(o).__name__ for o in objects], call(objects))
write(objects, 9)
print(read(objects))
objects[0].__dict__ = {"n": "from a dict", "shared": 0}
print(read(objects)[:2], call(objects)[:2])
write(objects, 10)
print(objects[0].__dict__, read(objects)[:2])


class Many:
    def __init__(self):
        for i in range(30):
            setattr(self, f"a{i}", i)


class More(Many):
    def __init__(self):
        self.first = 1
        Many.__init__(self)


def total(objects):
    n = 0
    for o in objects:
        n += o.a0 + o.a7 + o.a8 + o.a15 + o.a29
        o.a29 += 1
    return n


many = [Many(), More(), Many(), More()]
print([total(many) for _ in range(5)])
