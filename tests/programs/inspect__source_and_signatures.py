"""`inspect` finds the source of what was defined anywhere in a file, and the signatures of classes."""

import inspect


def outer():
    def first():
        "doc"
        return 42

    def second(
        a,
        b=(1,
           2),
    ):
        # a comment
        return {
            "a": a,
        }

    class Inner:
        x = 1

        def method(self):
            if self:
                return f"{self!r:>{10}}"

        y = 2

    return first, second, Inner


for found in outer():
    print(inspect.getsource(found), end="---\n")

functions = [lambda x: (x,
                        1), lambda: 0]
print(inspect.getsource(functions[0]), end="---\n")
nested = (lambda: (lambda: 1))()
print(inspect.getsource(nested), end="---\n")


class Empty:
    pass


class New:
    def __new__(cls, a, *, b=1):
        return super().__new__(cls)


class Init(New):
    def __init__(self, c):
        pass


class Meta(type):
    def __call__(cls, *args):
        return super().__call__()


class Called(metaclass=Meta):
    def __init__(self, hidden=1):
        pass


for thing in (object, Empty, New, Init, Called, Called(), dict.get, print, set, type(None)):
    try:
        print(inspect.signature(thing))
    except (ValueError, TypeError) as e:
        print(type(e).__name__)
