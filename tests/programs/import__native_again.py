# A native module that is imported again is a new one, and the old one goes with its functions.
import gc
import importlib
import sys
import weakref

import _struct
import math

made = []
for name in "_struct", "math":
    for _ in range(3):
        del sys.modules[name]
        made.append(weakref.ref(importlib.import_module(name)))
again = sys.modules["math"]
print(again is math, again.sqrt(16.0), math.sqrt(25.0), again.sqrt.__self__ is again, math.sqrt.__self__ is math)
gc.collect()
print([ref() is None for ref in made])
kept = again.floor
del again
del sys.modules["math"]
gc.collect()
print(kept(2.5), kept.__self__.__name__, made[-1]() is kept.__self__)
