"""Abstract base classes: registration, hooks, caches, abstract methods."""
import abc
import collections.abc


class Base(abc.ABC):
    @abc.abstractmethod
    def one(self): ...

    @property
    @abc.abstractmethod
    def two(self): ...


print(sorted(Base.__abstractmethods__))
try:
    Base()
except TypeError as e:
    print(e)


class Half(Base):
    def one(self):
        return 1


try:
    Half()
except TypeError as e:
    print(e)


class Whole(Half):
    two = 2


print(Whole().one(), isinstance(Whole(), Base), issubclass(Half, Base))


class Virtual:
    pass


print(isinstance(Virtual(), Base))
token = abc.get_cache_token()
print(Base.register(Virtual) is Virtual, abc.get_cache_token() != token)
print(isinstance(Virtual(), Base), issubclass(Virtual, Base), Base in Virtual.__mro__)


class VirtualSub(Virtual):
    pass


print(issubclass(VirtualSub, Base))
try:
    Virtual2 = type("Virtual2", (Base,), {})
    Virtual2.register(Base)
except RuntimeError as e:
    print(e)
for attempt in (lambda: Base.register(1), lambda: issubclass(1, Base)):
    try:
        attempt()
    except TypeError as e:
        print(e)


class Hooked(abc.ABC):
    @classmethod
    def __subclasshook__(cls, other):
        if cls is Hooked:
            return "hooked" in vars(other) or NotImplemented
        return NotImplemented


class HasIt:
    hooked = True


print(issubclass(HasIt, Hooked), issubclass(int, Hooked), isinstance(HasIt(), Hooked))


class Bad(abc.ABC):
    @classmethod
    def __subclasshook__(cls, other):
        return 1


try:
    issubclass(int, Bad)
except AssertionError as e:
    print(e)


class Liar:
    @property
    def __class__(self):
        return Whole


print(isinstance(Liar(), Base))


class Seq:
    def __getitem__(self, i): ...
    def __len__(self):
        return 2


collections.abc.Sequence.register(Seq)
match Seq():
    case [_, _]:
        print("sequence")
    case _:
        print("no sequence")
print([c.__name__ for c in (collections.abc.Hashable, collections.abc.Sized, collections.abc.Callable) if isinstance(Seq(), c)])


class Late(abc.ABC):
    @abc.abstractmethod
    def f(self): ...


Late.f = lambda self: 1
abc.update_abstractmethods(Late)
print(Late().f(), Late.__abstractmethods__)
