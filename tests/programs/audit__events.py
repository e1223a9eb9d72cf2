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
