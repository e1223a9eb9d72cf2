"""Reflected operators beside operands whose own operation is native, inherited or in Python."""


class Right:
    def __ror__(self, other):
        return ("ror", other)

    def __radd__(self, other):
        return ("radd", other)

    def __rpow__(self, other):
        return ("rpow", other)


class Number(int):
    pass


class Named(int):
    def __or__(self, other):
        print("Named.__or__")
        return NotImplemented


class Meta(type):
    pass


class Plain(metaclass=Meta):
    pass


class Silent(type):
    def __or__(cls, other):
        print("Silent.__or__")
        return NotImplemented


class Quiet(metaclass=Silent):
    pass


class Both(int):
    def __or__(self, other):
        print("Both.__or__")
        return NotImplemented

    def __ror__(self, other):
        print("Both.__ror__")
        return NotImplemented


class Derived(Both):
    def __ror__(self, other):
        return "Derived.__ror__"


def show(f):
    try:
        print(f())
    except TypeError as e:
        print("TypeError:", e)


show(lambda: Number(3) | Right())
show(lambda: Number(3) + Right())
show(lambda: Number(3) ** Right())
show(lambda: Named(4) | Right())
show(lambda: 5 | Right())
show(lambda: (Plain | Right())[0])
show(lambda: (Quiet | Right())[0])
show(lambda: (int | Right())[0])
show(lambda: Both(1) | Both(2))
show(lambda: Both(1) | Derived(2))
show(lambda: Named(1) | Both(2))
show(lambda: Named(1) | Number(2))
show(lambda: Number(1) | Named(2))
show(lambda: Number(6) | Number(1))
show(lambda: [] + Right())
show(lambda: object() | Right() is None)
show(lambda: Right() | 1)
