# Collections at the end of a program call no callbacks once its modules go.
import gc
import sys

calls = []


def callback(phase, info):
    calls.append(phase)
    sys.stdout.write("")


gc.callbacks.append(callback)
gc.collect()
print(calls)


calls.clear()
