"""Functions at exit run the latest first; exceptions do not stop the others."""
import atexit
import sys

sys.unraisablehook = lambda args: print("unraisable", type(args.exc_value).__name__)


@atexit.register
def last():
    print("last")


atexit.register(print, "with", "arguments", sep="-")
atexit.register(lambda: 1 / 0)
unwanted = lambda: print("unwanted")
atexit.register(unwanted)
atexit.register(unwanted)
atexit.unregister(unwanted)
for attempt in (lambda: atexit.register(), lambda: atexit.register(1)):
    try:
        attempt()
    except TypeError as e:
        print(e)
print("main ends")
