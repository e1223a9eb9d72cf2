# Frames that outlive their calls keep variables and callers; those that nobody keeps cost nothing and change nothing.
import sys


def caught():
    try:
        {}[1]
    except KeyError:
        pass
    return "caught"


def kept():
    here = "kept"
    return sys._getframe()


def outer():
    mine = "outer"
    return kept()


def raises():
    secret = 1
    {}[secret]


def middle():
    value = 2
    raises()


def names(frame):
    out = []
    while frame is not None:
        out.append(frame.f_code.co_name)
        frame = frame.f_back
    return out


print(caught())
frame = outer()
print(names(frame), frame.f_locals, frame.f_back.f_locals, frame.f_lineno)
try:
    middle()
except KeyError as error:
    held = error
tb = held.__traceback__
while tb:
    print(tb.tb_frame.f_code.co_name, sorted(k for k in tb.tb_frame.f_locals if k in ("secret", "value")), tb.tb_lineno)
    last, tb = tb.tb_frame, tb.tb_next
print(names(last), last.f_back.f_locals)


def handler_keeps():
    local = "in handler"
    try:
        raise ValueError("v")
    except ValueError as error:
        return error


error = handler_keeps()
print(error.__traceback__.tb_frame.f_locals, names(error.__traceback__.tb_frame))


def generator():
    local = 5
    try:
        yield sys._getframe()
    finally:
        pass


g = generator()
frame = next(g)
print(frame.f_locals, names(frame))
for _ in g:
    pass
print(frame.f_locals)
for n in range(3):
    f = sys._getframe()
    caught()
    print(f is sys._getframe(), f.f_lineno)
