"""What sys.settrace and sys.setprofile are told, by function, line relative to its first, and value."""
import sys
import threading

events = []


def tracer(frame, event, arg):
    code = frame.f_code
    if code.co_filename != __file__:
        return None
    if event == "exception":
        arg = (arg[0].__name__, str(arg[1]), arg[2].tb_lineno - code.co_firstlineno)
    events.append((code.co_name, frame.f_lineno - code.co_firstlineno, event, arg))
    return tracer


def traced(function, *args):
    events.clear()
    sys.settrace(tracer)
    try:
        function(*args)
    except Exception as error:
        events.append(("raised", type(error).__name__))
    finally:
        sys.settrace(None)
    print(function.__name__)
    for event in events:
        if event[0] != "traced":
            print("   ", *event)


def plain(a, b):
    c = a + b

    return c


def loop(n):
    total = 0
    for i in range(n):
        total += i
    while n > 0:
        n -= 1
        if n == 1:
            continue
    return total


def caller():
    x = plain(1, 2)
    y = plain(x,
              x)
    return y


def failing():
    try:
        inner()
    except ValueError as error:
        a = 1
    finally:
        b = 2
    inner()


def inner():
    raise ValueError("no")


def numbers(n):
    for i in range(n):
        yield i


def use_numbers():
    total = 0
    for n in numbers(2):
        total += n
    return total


def recursive(n):
    if n:
        return recursive(n - 1)
    return "end"


def context():
    class Manager:
        def __enter__(self):
            return None

        def __exit__(self, *args):
            return True

    with Manager() as m:
        raise KeyError(m)
    return "after"


def nested():
    def g(x):
        return x * 2
    return [g(i) for i in (1, 2)]


def conditional(x):
    if x:
        a = 1
    else:
        a = 2
    b = 3 if x else 4
    return (a,
            b)


def matching(x):
    match x:
        case [a, b]:
            r = a
        case {"k": v}:
            r = v
        case _:
            r = None
    return r


for function, *args in [
    (plain, 1, 2), (loop, 3), (caller,), (failing,), (use_numbers,), (recursive, 2), (context,), (nested,), (conditional, True),
    (conditional, False), (matching, [1, 2]), (matching, {"k": 3}), (matching, 4),
]:
    traced(function, *args)


# A local function that traces no lines, and one that traces instructions.
def no_lines(frame, event, arg):
    if frame.f_code.co_name == "loop":
        frame.f_trace_lines = False
    events.append((frame.f_code.co_name, event))
    return no_lines


events.clear()
sys.settrace(no_lines)
loop(2)
sys.settrace(None)
print([e for e in events if e[0] == "loop"])

opcodes = 0


def each(frame, event, arg):
    global opcodes
    frame.f_trace_opcodes = True
    opcodes += event == "opcode"
    return each


sys.settrace(each)
plain(1, 2)
sys.settrace(None)
print(opcodes > 0)


# A trace function that raises ends tracing.
def bad(frame, event, arg):
    raise RuntimeError("from the tracer")


sys.settrace(bad)
try:
    plain(1, 2)
except RuntimeError as error:
    print(error, sys.gettrace())


# Profiling.
def profiler(frame, event, arg):
    if frame.f_code.co_filename == __file__:
        name = getattr(arg, "__name__", arg) if event.startswith("c_") else arg
        events.append((frame.f_code.co_name, event, name))


def profiled():
    plain(1, 2)
    len([1])
    "abc".upper()
    try:
        int("x")
        [].index(1)
    except ValueError:
        pass
    try:
        [].index(1)
    except ValueError:
        pass
    sorted([2, 1], key=lambda x: -x)
    return list(numbers(1))


events.clear()
sys.setprofile(profiler)
profiled()
sys.setprofile(None)
for event in events:
    print("   ", *event)


# Other threads.
seen = []


def thread_tracer(frame, event, arg):
    if frame.f_code.co_name == "plain":
        seen.append(event)
    return thread_tracer


threading.settrace(thread_tracer)
t = threading.Thread(target=plain, args=(1, 2))
t.start()
t.join()
threading.settrace(None)
print(seen)
plain(1, 2)
print(seen)
