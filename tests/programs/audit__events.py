"""Auditing events of the runtime and its modules, in their order, and hooks that refuse."""
import _thread
import gc
import marshal
import sys
import time

WANTED = {"compile", "exec", "builtins.id", "marshal.dumps", "marshal.loads", "marshal.load", "object.__setattr__", "time.sleep", "gc.get_referrers",
          "gc.get_referents", "gc.get_objects", "sys._getframe", "sys._getframemodulename", "_thread.start_new_thread"}
seen = []
refused = None


def hook(event, args):
    if event in WANTED:
        seen.append((event, args))
    if event == refused:
        raise ValueError("refused " + event)


def show():
    for event, args in seen:
        print(event, [getattr(a, "__name__", None) or type(a).__name__ if not isinstance(a, (int, str, bytes, tuple)) else a for a in args])
    seen.clear()


class A:
    pass


class B(A):
    pass


sys.addaudithook(hook)
compile("1 + 1", "file", "eval")
show()
code = compile("2", "other", "exec")
exec(code)
eval("3")
show()
number = id(A)
print(seen == [("builtins.id", (number,))])
seen.clear()
marshal.loads(marshal.dumps((1, "a")))
print([(event, type(args[0]).__name__) for event, args in seen])
seen.clear()
B.__name__ = "C"
B.__qualname__ = "D"
B.__module__ = "m"
B.__doc__ = "text"
B.__bases__ = (A,)
a = A()
a.__class__ = B
show()
time.sleep(0)
time.sleep(0.001)
gc.get_referrers()
gc.get_referents([])
gc.get_objects(generation=1)
show()
sys._getframe()
sys._getframemodulename(0)
show()
lock = _thread.allocate_lock()
lock.acquire()
_thread.start_new_thread(lock.release, ())
lock.acquire()
print([event for event, args in seen], len(seen[0][1]))
seen.clear()
for refused, call in [("compile", lambda: compile("1", "f", "eval")), ("exec", lambda: exec("1")), ("import", lambda: __import__("colorsys")),
                      ("builtins.id", lambda: id(1)), ("time.sleep", lambda: time.sleep(5)), ("marshal.dumps", lambda: marshal.dumps(1)),
                      ("gc.get_objects", lambda: gc.get_objects())]:
    try:
        call()
        print("allowed", refused)
    except ValueError as e:
        print(e)
refused = None
seen.clear()

# Of other modules, and of what classes and functions are made of.
import array
import fcntl
import mmap
import os
import resource
import signal
import socket
import threading
import types

WANTED |= {"array.__new__", "fcntl.ioctl", "fcntl.lockf", "mmap.__new__", "resource.setrlimit", "resource.prlimit", "signal.pthread_kill", "socket.sendto",
           "socket.sendmsg", "socket.getnameinfo", "socket.getservbyname", "socket.getservbyport", "function.__new__", "object.__getattr__",
           "sys._current_frames", "sys._current_exceptions", "builtins.breakpoint", "sys.unraisablehook"}
seen.clear()


def f():
    return 1


array.array("i", [1])
array.array("d")
mmap.mmap(-1, 16, access=mmap.ACCESS_READ).close()
limits = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, limits)
resource.prlimit(0, resource.RLIMIT_CORE)
with open(os.devnull) as null:
    try:
        fcntl.ioctl(null, 0x5401, bytes(60))
    except OSError:
        pass
with open("/tmp/lisle-audit", "w") as file:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.lockf(file, fcntl.LOCK_UN, 1, 2, 0)
os.unlink("/tmp/lisle-audit")
signal.pthread_kill(threading.get_ident(), 0)
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
a.sendmsg([b"x"])
try:
    a.sendto(b"x", "/no/such")
except OSError:
    pass
a.close(), b.close()
socket.getnameinfo(("127.0.0.1", 80), socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
socket.getservbyname("http", "tcp")
socket.getservbyport(80)
for event, args in seen:
    if event in ("signal.pthread_kill", "fcntl.ioctl", "resource.setrlimit"):
        print(event, [type(a).__name__ for a in args])
    else:
        print(event, [a if isinstance(a, (int, str, tuple, list)) else type(a).__name__ for a in args[event == "fcntl.lockf":]])
seen.clear()
code = f.__code__
f.__code__ = code
types.FunctionType(code, {})
sys._current_frames()
sys._current_exceptions()
sys.breakpointhook = lambda: None
breakpoint()
sys.unraisablehook = lambda unraisable: None


class Bad:
    def __del__(self):
        raise ValueError


Bad()
for event, args in seen:
    print(event, len(args), [a if isinstance(a, str) else type(a).__name__ for a in args])
seen.clear()

# Hooks are not traced, unless they say so; and no list that can be found holds them.
traced = []
sys.settrace(lambda frame, event, arg: traced.append(frame.f_code.co_name) if frame.f_code is hook.__code__ else None)
eval("1")
print(traced)
hook.__cantrace__ = True
eval("1")
hook.__cantrace__ = False
eval("1")
sys.settrace(None)
print(traced)
print(any(hook in o for o in gc.get_objects() if isinstance(o, list)))
