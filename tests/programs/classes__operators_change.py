# Operators that come to a class, or leave it, after it was made.


def shown(function):
    try:
        return function()
    except TypeError as error:
        return error


class Both:
    def __add__(self, other):
        return "add"

    def __radd__(self, other):
        return "radd"

    def __eq__(self, other):
        return "eq"

    def __lt__(self, other):
        return "lt"

    def __setitem__(self, key, value):
        print("set", key)

    def __delitem__(self, key):
        print("delete", key)


both = Both()
del Both.__add__
print(shown(lambda: both + 1), shown(lambda: 1 + both))
Both.__add__ = lambda self, other: "add again"
del Both.__radd__
print(shown(lambda: both + 1), shown(lambda: 1 + both))
del Both.__lt__
print(both == 1, shown(lambda: both < 1))
del Both.__setitem__
try:
    both[1] = 2
except AttributeError as error:
    print(type(error).__name__)
del both[1]
Both.__setitem__ = lambda self, key, value: print("set again", key)
both[2] = 3
del Both.__delitem__
both[3] = 4


class Left:
    __rsub__ = lambda self, other: print("Left.__rsub__") or NotImplemented


Left.__sub__ = lambda self, other: print("Left.__sub__") or NotImplemented


class Right(Left):
    pass


class Lower(Left):
    __rsub__ = lambda self, other: print("Lower.__rsub__") or NotImplemented


class Other:
    __rsub__ = lambda self, other: print("Other.__rsub__") or NotImplemented


for left in Left(), Right(), Lower():
    for right in Left(), Right(), Lower(), Other():
        print(type(left).__name__, type(right).__name__)
        print(shown(lambda: left - right))

# Methods made by a function, as numeric libraries do.


class Number:
    __slots__ = ["value"]

    def __init__(self, value):
        self.value = value

    def __repr__(self):
        return f"{type(self).__name__}({self.value})"

    def __rsub__(self, other):
        return type(self)(other - self.value)

    def __rpow__(self, other):
        return type(self)(other**self.value)


def operation(name):
    def method(self, other):
        other = other.value if isinstance(other, Number) else other
        return type(self)(getattr(int, name)(self.value, other))

    return method


for name in "__add__", "__sub__", "__mul__", "__mod__", "__pow__":
    setattr(Number, name, operation(name))
Number.__radd__ = Number.__add__
Number.__rmul__ = Number.__mul__


class Constant(Number):
    def __repr__(self):
        return f"<{self.value}>"


for a in Number(7), Constant(3), 10:
    for b in Number(2), Constant(4), 5:
        print(shown(lambda: [a + b, a - b, a * b, a % b, a**b]))
