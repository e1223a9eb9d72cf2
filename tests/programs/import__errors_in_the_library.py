# A traceback through modules of the library shows them, and nothing of the importer.
import os
import sys
import traceback
import types

for name in "tempfile", "random":
    sys.modules.pop(name, None)
sys.modules["random"] = types.ModuleType("random")
try:
    import tempfile
except ImportError as error:
    print(type(error).__name__, [os.path.basename(f.filename) for f in traceback.extract_tb(error.__traceback__)])

sys.modules["random"].__getattr__ = lambda name: 1 / 0
try:
    import tempfile
except ZeroDivisionError as error:
    print(type(error).__name__, [os.path.basename(f.filename) for f in traceback.extract_tb(error.__traceback__)])
