"""Which lines a tracer sees: constant conditions, the ways out of blocks, handlers that are not entered."""

import sys


def lines(f, *args):
    first = f.__code__.co_firstlineno
    events = []

    def trace(frame, event, arg):
        if frame.f_code is f.__code__:
            events.append((frame.f_lineno - first, event))
            return trace

    sys.settrace(trace)
    try:
        f(*args)
    except Exception as e:
        events.append(type(e).__name__)
    finally:
        sys.settrace(None)
    print(f.__name__, *[e if isinstance(e, str) else f"{e[0]}{'' if e[1] == 'line' else e[1][0]}" for e in events])


def constant_if():
    if 0:
        x = 1
    elif 1:
        x = 2
    if True:
        y = 3
    return x + y


def constant_while(items):
    i = 0
    while 1:
        i += items[i]


def never():
    while 0:
        pass
    x = 1


def bare_name(a):
    a
    "text"
    a


def return_constant():
    try:
        return 1
    finally:
        x = 2


def return_value():
    try:
        return len([])
    finally:
        x = 2


def leave_loops():
    for i in range(3):
        try:
            if i == 0:
                continue
            if i == 1:
                break
        finally:
            x = i
    return i


def early_with(manager):
    for i in range(2):
        with manager:
            break
    return i


def handlers(value):
    try:
        x = 1 // value
    except TypeError as e:
        if value:
            x = 2
    except ZeroDivisionError as e:
        if value:
            x = 3
    else:
        x = 4
    return x


def no_match(value):
    try:
        x = [][value]
    except KeyError:
        x = 1


def finally_conditional(value):
    try:
        x = 1 // value
    finally:
        if value:
            x = 2
        else:
            x = 3


def groups():
    try:
        raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
    except* ValueError as e:
        a = 1
    except* TypeError:
        b = 2
    return a + b


def nested_if(a, b):
    if a:
        if b:
            if a > b:
                x = 1
            else:
                x = 2
        y = 1


def chain(text):
    return (text
            .strip()
            .upper(
                1))


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *args):
        return False


lines(constant_if)
lines(constant_while, [1, 1, 1])
lines(never)
lines(bare_name, 1)
lines(return_constant)
lines(return_value)
lines(leave_loops)
lines(early_with, Manager())
lines(handlers, 0)
lines(handlers, 1)
lines(no_match, 1)
lines(finally_conditional, 0)
lines(finally_conditional, 1)
lines(groups)
lines(nested_if, 0, 0)
lines(nested_if, 1, 0)
lines(nested_if, 1, 2)
lines(chain, " x ")
try:
    chain(" x ")
except TypeError as e:
    print(e.__traceback__.tb_next.tb_lineno - chain.__code__.co_firstlineno)
