"""Jumps of a tracer to other lines: where they lead, what they leave, which are refused."""

import sys
import warnings


def run(f, origin, target, event="line"):
    """Calls `f` with a list; the first time that line `origin` of it is met, the frame goes on at line `target`."""
    output, done, warned = [], [], []
    first = f.__code__.co_firstlineno

    def trace(frame, kind, arg):
        if frame.f_code.co_firstlineno < first or frame.f_code.co_filename != __file__ or done:
            return None
        if kind == event and frame.f_lineno == first + origin:
            done.append(True)
            frame.f_lineno = first + target if isinstance(target, int) else target
        return trace

    sys.settrace(trace)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            f(output)
    except Exception as e:
        output.append(f"{type(e).__name__}: {e}")
    finally:
        sys.settrace(None)
    warned = [str(w.message) for w in caught if w.category is RuntimeWarning]
    print(f.__name__, origin, target, output, warned, sys.exception())


def plain(output):
    output.append(1)
    output.append(2)
    output.append(3)


def local(output):
    x = 1
    y = 2
    output.append((x, y))


def loops(output):
    for i in (1, 2):
        output.append(i)
        for j in (3, 4):
            output.append(j)
    for k in (5, 6):
        output.append(k)
    while output[-1] != 7:
        output.append(7)
    output.append(8)


def handlers(output):
    try:
        output.append(1)
        1 / 0
    except ZeroDivisionError as e:
        output.append("caught")
        output.append(repr(sys.exception()))
    except ValueError:
        output.append("other")
    finally:
        output.append("finally")
        output.append(repr(sys.exception()))
    output.append(repr(sys.exception()))


class Manager:
    def __init__(self, output, name):
        self.output, self.name = output, name

    def __enter__(self):
        self.output.append("enter " + self.name)

    def __exit__(self, *args):
        self.output.append("exit " + self.name)


def managers(output):
    with Manager(output, "a"):
        output.append(1)
        output.append(2)
    with Manager(output, "b"):
        output.append(3)
        output.append(4)
    output.append(5)


def comprehensions(output):
    output.append(1)
    x = [i for i in range(3)]
    output.append(x)


def generators(output):
    def numbers():
        yield 1
        output.append("between")
        try:
            yield 2
        finally:
            output.append("end")

    for n in numbers():
        output.append(n)
    return


def arguments(output):
    output.append(1)
    print(
        output.append(2),
        output.append(3),
    )
    output.append(4)


def nested(output):
    try:
        try:
            raise ValueError("inner")
        except ValueError:
            try:
                raise KeyError("outer")
            except KeyError:
                output.append(repr(sys.exception()))
            output.append(repr(sys.exception()))
    except TypeError:
        pass
    output.append(repr(sys.exception()))


run(plain, 1, 3)
run(plain, 3, 1)
run(plain, 2, 2)
run(plain, 2, -5)
run(plain, 2, 99)
run(plain, 2, "x")
run(plain, 2, 2.0)
run(plain, 2, True)
run(plain, 3, 1, "return")
run(plain, 0, 1, "call")
run(local, 1, 3)
run(local, 3, 1)
run(loops, 1, 5)
run(loops, 2, 8)
run(loops, 4, 2)
run(loops, 4, 9)
run(loops, 6, 2)
run(loops, 6, 4)
run(loops, 2, 4)
run(loops, 1, 8)
run(loops, 9, 8)
run(handlers, 2, 9)
run(handlers, 5, 9)
run(handlers, 5, 10)
run(handlers, 5, 11)
run(handlers, 6, 5)
run(handlers, 2, 5)
run(handlers, 2, 4)
run(handlers, 5, 8)
run(handlers, 9, 2)
run(handlers, 11, 10)
run(managers, 2, 3)
run(managers, 2, 5)
run(managers, 2, 7)
run(managers, 7, 2)
run(managers, 1, 2)
run(managers, 7, 4)
run(comprehensions, 2, 3)
run(comprehensions, 3, 2)
run(generators, 3, 5)
run(generators, 3, 7)
run(generators, 5, 3)
run(generators, 2, 5, "return")
run(arguments, 3, 6)
run(arguments, 1, 4)
run(nested, 7, 9)
run(nested, 7, 11)
run(nested, 8, 9)
run(nested, 8, 11)
run(nested, 3, 8)

try:
    sys._getframe().f_lineno = 5
except ValueError as e:
    print(e)
try:
    del sys._getframe().f_lineno
except AttributeError as e:
    print(e)
