# Cache files of user modules: written, used, checked.
import importlib
import importlib.util
import marshal
import os
import subprocess
import sys
import tempfile

root = tempfile.mkdtemp()
sys.path.insert(0, root)
source = os.path.join(root, "mod.py")


def write(text, when=None):
    with open(source, "w") as file:
        file.write(text)
    if when is not None:
        os.utime(source, (when, when))
    importlib.invalidate_caches()


def load():
    sys.modules.pop("mod", None)
    return importlib.import_module("mod")


sys.dont_write_bytecode = False
write("value = 1\n", 1_000_000)
mod = load()
cache = mod.__cached__
print(mod.value, os.path.exists(cache), os.path.basename(os.path.dirname(cache)))
print(importlib.util.source_from_cache(cache) == source)
# Same time and size: the cache counts.
write("value = 2\n", 1_000_000)
print(load().value)
# Another time: it does not.
write("value = 3\n", 2_000_000)
print(load().value)
# Another size: neither.
write("value = 40\n", 2_000_000)
print(load().value)
# Damaged magic number: compiled anew.
data = bytearray(open(cache, "rb").read())
data[0] ^= 1
open(cache, "wb").write(data)
write("value = 50\n", 2_000_000)
print(load().value)
# Cut short: EOFError, as in CPython.
data = open(cache, "rb").read()
for end in (8, 15):
    open(cache, "wb").write(data[:end])
    print(load().value)
open(cache, "wb").write(data[:-7])
try:
    load()
except (EOFError, ValueError) as error:
    print("refused")
os.unlink(cache)
sys.dont_write_bytecode = True
print(load().value, os.path.exists(cache))
sys.dont_write_bytecode = False

# A cache file without a source, and one that was moved.
import py_compile
write("def f():\n    return f.__code__.co_filename\n")
py_compile.compile(source, cfile=os.path.join(root, "bare.pyc"))
import bare
print(os.path.basename(bare.__file__), type(bare.__loader__).__name__, os.path.basename(bare.f()))

code = compile("def f(a, *b, c=1.5, **d):\n    x = [i + a for i in b]\n    return x, c, d, 1 << 100, b'x', 1j, ...\nresult = f(1, 2, c=3)\n", "<made>", "exec")
again = marshal.loads(marshal.dumps(code))
namespace = {}
exec(again, namespace)
print(namespace["result"], again.co_filename, again.co_names)
