"""Finalizers that run while a frame is left ask for frames: the one that is left is none of them any more."""

import sys

seen = []


class Looks:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        frame = sys._getframe().f_back
        seen.append(frame)
        print(self.name, "sees", frame.f_code.co_name, sorted(name for name in frame.f_locals if name.islower())[:3] if frame.f_code.co_name != "<module>" else "")


def dies():
    looks = Looks("local")
    b = 5


def dies_with_value():
    looks = Looks("beside a value")
    b = [5]
    return b


def raises():
    looks = Looks("beside an exception")
    raise ValueError("raised")


def generator():
    looks = Looks("in a generator")
    yield 1


def calls():
    dies()
    dies_with_value()
    return 1


def iterates():
    for x in generator():
        pass
    return list(generator())


def catches():
    try:
        raises()
    except ValueError as error:
        error.__traceback__ = None
    return "caught"


def argument(looks):
    seen_before = len(seen)


def other(a, b, c):
    x = [1] * 3
    for frame in seen:
        if frame.f_code.co_name not in ("<module>", "other"):
            assert "x" not in frame.f_locals or frame.f_code.co_name == "iterates", frame.f_locals
    return x


calls()
print(other(1, 2, 3))
print(iterates())
print(other(1, 2, 3))
print(catches())
print(other(1, 2, 3))
argument(Looks("argument"))
print(len(seen))
print(other(4, 5, 6))
print([frame.f_code.co_name for frame in seen])
