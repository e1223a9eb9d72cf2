# Profilers and tracers hear of what is thrown into a generator, and not of the end of one that nothing in it can see.
import cProfile
import sys

events = []


def profile(frame, event, arg):
    if frame.f_code.co_filename == __file__ and frame.f_code.co_name != "<module>":
        events.append((frame.f_code.co_name, event, frame.f_lineno - frame.f_code.co_firstlineno))


def trace(frame, event, arg):
    profile(frame, event, arg)
    return trace


def plain():
    for i in range(2):
        yield i


def guarded():
    try:
        yield 1
    finally:
        events.append("finally")


def two():
    try:
        yield 1
    except ValueError:
        yield 2


def drop_plain():
    next(plain())


def drop_guarded():
    next(guarded())


def close_plain():
    g = plain()
    next(g)
    g.close()


def throw():
    g = two()
    next(g)
    g.throw(ValueError)


def throw_out():
    g = two()
    next(g)
    try:
        g.throw(TypeError)
    except TypeError:
        pass


for function in drop_plain, drop_guarded, close_plain, throw, throw_out:
    for begin in sys.setprofile, sys.settrace:
        events.clear()
        begin(profile if begin is sys.setprofile else trace)
        function()
        begin(None)
        print(function.__name__, begin.__name__)
        for event in events:
            if event[1] not in ("c_call", "c_return", "c_exception"):
                print("   ", event)

profiler = cProfile.Profile()
profiler.enable()
any(a == 1 for a in (1, 2))
profiler.disable()
profiler.create_stats()
print([calls[:2] for where, calls in profiler.stats.items() if where[2] == "<genexpr>"])
