"""f_locals of functions writes through; locals() is a snapshot; frames after their end; tracebacks of re-raised exceptions."""
import sys


def chain(e):
    tb = e.__traceback__
    out = []
    while tb:
        out.append((tb.tb_frame.f_code.co_name, tb.tb_lineno - tb.tb_frame.f_code.co_firstlineno))
        tb = tb.tb_next
    return out[1:]


def f():
    raise ValueError


def in_finally():
    try:
        f()
    finally:
        pass


def not_matched():
    try:
        f()
    except KeyError:
        pass


def bare():
    try:
        f()
    except ValueError:
        raise


def named():
    try:
        f()
    except ValueError as e:
        raise e


def nested():
    try:
        try:
            f()
        finally:
            x = 1
    except ValueError:
        raise


class CM:
    def __enter__(self):
        return self

    def __exit__(self, *a):
        return False


def in_with():
    with CM():
        f()


def gen():
    try:
        yield f()
    finally:
        pass


def delegates():
    yield from gen()


def in_loop():
    for x in delegates():
        pass


def later():
    try:
        f()
    except ValueError as e:
        e2 = e
    raise e2


for fn in (in_finally, not_matched, bare, named, nested, in_with, in_loop, later):
    try:
        fn()
    except BaseException as e:
        print(fn.__name__, chain(e), e.__context__)


def m():
    x = 1
    fr = sys._getframe()

    def inner():
        return x

    fr.f_locals["x"] = 5
    fr.f_locals["zz"] = 7
    y = 3
    snapshot = locals()
    snapshot["y"] = 4
    print(x, inner(), y, list(fr.f_locals), list(locals()))
    print(fr.f_locals is fr.f_locals, fr.f_locals == fr.f_locals, snapshot is locals())
    try:
        fr.f_locals["nope"]
    except KeyError as e:
        print(type(e).__name__, e)
    return fr


fr = m()
print(fr.f_locals["y"], len(fr.f_locals), "x" in fr.f_locals, fr.f_locals.get("nope"), fr.f_lineno - fr.f_code.co_firstlineno)
fr.f_locals["y"] = 99
print(fr.f_locals["y"], {k: v for k, v in fr.f_locals.items() if isinstance(v, int)})
fr.clear()
print(list(fr.f_locals))


def g():
    q = 1
    yield q
    print("q", q)
    yield q


G = g()
next(G)
G.gi_frame.f_locals["q"] = 42
print(next(G), G.gi_frame.f_back, G.gi_frame.f_lineno - g.__code__.co_firstlineno)
try:
    G.gi_frame.clear()
except RuntimeError as e:
    print(e)
code = m.__code__
other = code.replace(co_name="zzz", co_firstlineno=50)
print(other.co_name, other.co_firstlineno, other == code, code == code.replace(), hash(code) == hash(code.replace()))
print(code.co_varnames, code.co_cellvars, code.co_argcount)
