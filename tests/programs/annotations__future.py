"""Functions under `from __future__ import annotations` keep their closures, and their annotations are texts."""

from __future__ import annotations

import functools
import typing


class Base:
    @property
    def name(self) -> str:
        return "base"


class Derived(Base):
    @property
    def name(self) -> str:
        return super().name + " derived"

    def method(self, a: int, *args: Base, b: list[Nowhere] = 1, **kwargs: "quoted") -> None:
        return __class__


def outer():
    value = 5

    class Local:
        pass

    def inner(x: Local, y: int | None = value) -> value:
        return value, Local

    return inner


print(Derived().name)
print(Derived.method.__annotations__, Derived().method(1) is Derived)
print(outer().__annotations__, outer()(1)[0], outer().__defaults__)
print(outer().__code__.co_freevars)


@functools.singledispatch
def show(x):
    return "object"


@show.register
def _(x: int) -> str:
    return "int"


@show.register
def _(x: typing.Union[list, Base]):
    return "list or Base"


print(show(1), show("x"), show([]), show(Derived()))
print(typing.get_type_hints(show.registry[int]))
