"""sys.monitoring: tools, events everywhere and in one code object, places switched off, errors."""
import sys

m = sys.monitoring
E = m.events
TOOL = 3
log = []


def start(code, offset):
    log.append(("start", code.co_name))


def returned(code, offset, value):
    log.append(("return", code.co_name, value))


def line(code, number):
    log.append(("line", code.co_name, number - code.co_firstlineno))


def called(code, offset, callable, first):
    log.append(("call", code.co_name, getattr(callable, "__name__", "?"), "missing" if first is m.MISSING else first))


def c_returned(code, offset, callable, first):
    log.append(("c_return", code.co_name, callable.__name__))


def c_raised(code, offset, callable, first):
    log.append(("c_raise", code.co_name, callable.__name__))


def raised(code, offset, error):
    log.append(("raise", code.co_name, repr(error)))


def unwound(code, offset, error):
    log.append(("unwind", code.co_name, repr(error)))


def handled(code, offset, error):
    log.append(("handled", code.co_name, repr(error)))


def yielded(code, offset, value):
    log.append(("yield", code.co_name, value))


def resumed(code, offset):
    log.append(("resume", code.co_name))


def work(x):
    y = x + 1
    z = abs(y)
    return z


def gen():
    yield 1
    yield 2


def failing():
    try:
        raise KeyError(1)
    except KeyError:
        pass
    int("no")


def run(events, function, *args):
    log.clear()
    m.set_events(TOOL, events)
    try:
        function(*args)
    except Exception as error:
        pass
    m.set_events(TOOL, E.NO_EVENTS)
    print(*[entry for entry in log if entry[1] != "run"], sep="\n")
    print("--")


m.use_tool_id(TOOL, "test")
print(m.get_tool(TOOL), m.get_tool(4))
for event, callback in [
    (E.PY_START, start), (E.PY_RETURN, returned), (E.LINE, line), (E.CALL, called), (E.C_RETURN, c_returned), (E.C_RAISE, c_raised),
    (E.RAISE, raised), (E.PY_UNWIND, unwound), (E.EXCEPTION_HANDLED, handled), (E.PY_YIELD, yielded), (E.PY_RESUME, resumed),
]:
    print(m.register_callback(TOOL, event, callback))
run(E.PY_START | E.PY_RETURN, work, 1)
run(E.LINE, work, 1)
run(E.CALL | E.C_RETURN | E.C_RAISE, work, -5)
run(E.PY_START | E.PY_YIELD | E.PY_RESUME | E.PY_RETURN, lambda: list(gen()))
run(E.RAISE | E.PY_UNWIND | E.EXCEPTION_HANDLED, failing)

# In one code object.
log.clear()
m.set_local_events(TOOL, work.__code__, E.LINE)
print(m.get_local_events(TOOL, work.__code__) == E.LINE, m.get_events(TOOL))
work(1)
list(gen())
print(log)


# Switched off where it was told once.
def once(code, number):
    log.append(number - code.co_firstlineno)
    return m.DISABLE


log.clear()
print(m.register_callback(TOOL, E.LINE, once) is line)
work(1)
work(2)
print(log)
m.restart_events()
work(3)
print(log)
m.set_local_events(TOOL, work.__code__, 0)
work(4)
print(log)

for wrong in [
    lambda: m.use_tool_id(TOOL, "again"),
    lambda: m.use_tool_id(9, "x"),
    lambda: m.set_events(4, E.LINE),
    lambda: m.set_events(TOOL, 1 << 30),
    lambda: m.set_events(TOOL, E.C_RETURN),
    lambda: m.set_local_events(TOOL, work.__code__, E.RAISE),
    lambda: m.register_callback(TOOL, E.LINE | E.CALL, None),
    lambda: m.register_callback(TOOL, 0, None),
]:
    try:
        wrong()
    except ValueError as error:
        print(str(error).partition(" 0x")[0])
m.free_tool_id(TOOL)
print(m.get_tool(TOOL))


# Ends of generators, which nobody raises.
def counted():
    yield 1
    return 5


async def answer():
    return 3


async def waits():
    await answer()


def delegates():
    yield from counted()


def ends():
    for x in counted():
        pass
    list(delegates())
    waits().send(None)


def stopped(code, offset, error):
    log.append((code.co_name, repr(error)))


m.use_tool_id(TOOL, "ends")
m.register_callback(TOOL, E.STOP_ITERATION, stopped)
run(E.STOP_ITERATION, ends)
print(log)
m.free_tool_id(TOOL)
log.clear()


def trace(frame, event, arg):
    if event == "exception":
        log.append((frame.f_code.co_name, repr(arg[1]), arg[2] is None))
    return trace


sys.settrace(trace)
try:
    ends()
except StopIteration:
    pass
sys.settrace(None)
print(log)
