"""Threads that assign bases to the same classes never close a circle and never break the order of attributes."""
import threading


class Root:
    where = "root"


def family():
    return [type(f"C{i}", (Root,), {"own": i}) for i in range(4)]


def shuffle(classes, seed, errors):
    n = seed
    for _ in range(150):
        n = (n * 1103515245 + 12345) % 2**31
        a, b = classes[n // 7 % 4], classes[n // 131 % 4]
        try:
            a.__bases__ = (b,) if n // 5 % 3 else (Root,)
        except TypeError as error:
            errors.add(str(error))


def read(classes, done):
    while not done.is_set():
        for c in classes:
            assert c.where == "root"
            assert c.__mro__[-1] is object
            assert isinstance(c(), Root)


errors = set()
for _ in range(3):
    classes = family()
    done = threading.Event()
    writers = [threading.Thread(target=shuffle, args=(classes, seed, errors)) for seed in (1, 2, 3)]
    reader = threading.Thread(target=read, args=(classes, done))
    for t in (reader, *writers):
        t.start()
    for t in writers:
        t.join()
    done.set()
    reader.join()
    for c in classes:
        assert len(set(c.__mro__)) == len(c.__mro__)
        at = c
        steps = 0
        while at is not object:
            at = at.__bases__[0]
            steps += 1
            assert steps < 8, "a circle"
print(sorted(errors) == ["a __bases__ item causes an inheritance cycle"])


class Meta(type):
    """Assigns bases while its order is computed."""

    def mro(cls):
        if cls.__dict__.get("nested"):
            cls.nested = False
            Other.__bases__ = (Root,)
        return super().mro()


class Base0:
    pass


class Other(Base0):
    pass


class Nested(Base0, metaclass=Meta):
    nested = True


Nested.nested = True
Nested.__bases__ = (Root,)
print(Other.__bases__, Nested.__bases__)
