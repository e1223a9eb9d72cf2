"""Annotations as text, beside defaults, keyword defaults and closures."""
from __future__ import annotations


class Base:
    def __init__(self, *args):
        self.args = args


class Derived(Base):
    def __init__(self, first: int = 0, *, word: Missing = "w"):
        super().__init__(first, word)

        def own(x: str, optional: Literal[False] = False) -> Derived:
            return self, x, optional

        self.own = own

    async def later(self, x: int) -> None:
        return __class__


d = Derived(1)
print(d.args, d.own("x")[1:], d.own("x")[0] is d)
print(Derived.__init__.__annotations__, Derived.__init__.__defaults__, Derived.__init__.__kwdefaults__)
print(d.own.__annotations__, d.own.__defaults__)
print(Derived.later.__annotations__)


def outer(x):
    def plain(a: x) -> x: ...
    def kept(a: int): return x
    def defaults(a: int = 3, *, b: str = "b"): return a, b, x
    return plain, kept, defaults


for f in outer(5):
    print(f.__name__, f.__annotations__, f.__closure__ and [c.cell_contents for c in f.__closure__])
print(outer(5)[2](b=1))
