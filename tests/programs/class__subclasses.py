# The list of subclasses after classes went away, and bases assigned while the order of bases is being computed.
import gc
from collections.abc import Sized


class Base:
    pass


def make(n):
    class Derived(Base):
        number = n

    return Derived


keep = [make(n) for n in range(5)]
for n in range(300):
    make(n)
    type("Other", (), {"n": n})
    if n % 50 == 0:
        gc.collect()
gc.collect()
others = [type("Other", (), {}) for _ in range(300)]
print([c.number for c in Base.__subclasses__()], all(issubclass(c, Base) for c in Base.__subclasses__()))
print(Base.__subclasses__() == keep)

# Classes that an abstract class was asked about, and derived classes of it that are gone.
for _ in range(200):

    class Derived(Sized):
        def __len__(self):
            return 0

    del Derived
gc.collect()
plain = [type("C", (), {"__hash__": None}) for _ in range(300)]
print(any(issubclass(c, Sized) for c in plain))


class Meta(type):
    ready = False

    def mro(cls):
        if Meta.ready and cls.__name__ == "C":
            Meta.ready = False
            C.__bases__ = (B2,)
        return type.mro(cls)


class A(metaclass=Meta):
    pass


class B1(A):
    pass


class B2(A):
    pass


class C(A):
    pass


Meta.ready = True
C.__bases__ = (B1,)
B1.__bases__ = (C,)
print(C.__bases__, B2.__subclasses__(), B1.__subclasses__(), C.__subclasses__(), B1.__bases__)


class Failing(type):
    fail = False

    def mro(cls):
        if Failing.fail and cls.__name__ == "Z":
            raise ValueError("no order")
        return type.mro(cls)


class X(metaclass=Failing):
    where = "X"


class Y(metaclass=Failing):
    where = "Y"


class Z(X):
    pass


Failing.fail = True
try:
    Z.__bases__ = (Y,)
except ValueError as error:
    print(error, Z.__bases__, Z.where, X.__subclasses__(), Y.__subclasses__())
Failing.fail = False
Z.__bases__ = (Y,)
print(Z.__bases__, Z.where, X.__subclasses__(), Y.__subclasses__())
try:
    Y.__bases__ = (Z,)
except TypeError as error:
    print(error)

# What object's methods may not do to classes, and dicts that belong to their owner.
for change in (
    lambda: object.__setattr__(str, "foo", 1),
    lambda: object.__delattr__(str, "lower"),
    lambda: setattr(type(gc)("m"), "__dict__", {}),
    lambda: setattr(X, "__dict__", {}),
    lambda: delattr(ValueError(), "__dict__"),
):
    try:
        change()
    except (TypeError, AttributeError) as error:
        print(type(error).__name__, error)
