# Imports: statements, packages, circular imports, errors, reload, locks between threads.
import os
import sys
import tempfile
import threading

root = tempfile.mkdtemp()


def write(path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


write("pkg/__init__.py", "before = 1\nfrom . import one\nafter = 2\n__all__ = ['one', 'two']\n")
write("pkg/one.py", "from .sub import deep\nvalue = deep.value + 1\n")
write("pkg/two.py", "value = 'two'\n")
write("pkg/sub/__init__.py", "")
write("pkg/sub/deep.py", "from .. import before\nvalue = before + 10\n")
write("circ_a.py", "from circ_b import y\nx = 1\n")
write("circ_b.py", "from circ_a import x\ny = 1\n")
write("broken.py", "1/0\n")
write("bad_syntax.py", "def f(:\n")
write("space/inner.py", "name = __name__\n")
write("swap.py", "import sys\nsys.modules[__name__] = {'swapped': True}\n")
write("beyond/__init__.py", "from ..nowhere import x\n")
write("slow.py", "import time\ntime.sleep(0.05)\ndone = True\n")
write("lazy/__init__.py", "def __getattr__(name):\n    if name == 'late': return 42\n    raise AttributeError(name)\n")
sys.path.insert(0, root)
sys.dont_write_bytecode = True

import pkg
print(pkg.before, pkg.after, pkg.one.value, sorted(n for n in sys.modules if n.startswith("pkg")))
from pkg import *
print(two.value, one is pkg.one)
import pkg.sub.deep as deep
print(deep.__name__, deep.__package__, deep.__spec__.parent, os.path.basename(deep.__file__))
from pkg.sub import deep as again
print(again is deep)
import pkg.sub.deep
print(pkg.sub.deep is deep)


def attempt(statement):
    try:
        exec(statement, {"__name__": "__main__"})
    except Exception as error:
        text = str(error).replace(root, "<root>")
        extra = [getattr(error, n, None) for n in ("name", "path", "name_from")]
        extra = [e.replace(root, "<root>") if isinstance(e, str) else e for e in extra]
        print(f"{statement}: {type(error).__name__}: {text} {extra}")
    else:
        print(f"{statement}: fine")


attempt("import circ_a")
print("circ_a" in sys.modules, "circ_b" in sys.modules)
attempt("import nothing_there")
attempt("import pkg.nothing_there")
attempt("from pkg import nothing_there")
attempt("import pkg.one.three")
attempt("import broken")
print("broken" in sys.modules)
attempt("import bad_syntax")
attempt("from . import x")
attempt("from .. import x")
attempt("import beyond")
attempt("from lazy import late")
attempt("from lazy import later")
sys.modules["blocked"] = None
attempt("import blocked")
attempt("__import__('')")
attempt("__import__('os', level=-1)")
attempt("__import__(3)")
attempt("__import__('pkg', fromlist=[1])")
import swap
print(swap)
import space.inner
print(space.inner.name, type(space.__path__).__name__, space.__spec__.loader is not None, space.__file__)
print(__import__("pkg.sub.deep").__name__, __import__("pkg.sub.deep", fromlist=["x"]).__name__)

import importlib
print(importlib.import_module(".one", "pkg") is pkg.one, importlib.import_module("pkg.two") is two)
two.value = "changed"
importlib.reload(two)
print(two.value)

results = []


def load():
    import slow
    results.append(slow.done)


threads = [threading.Thread(target=load) for _ in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(results)

# Two packages that import each other from two threads: no deadlock.
write("left.py", "import time\ntime.sleep(0.02)\nimport right\n")
write("right.py", "import time\ntime.sleep(0.02)\nimport left\n")
importlib.invalidate_caches()
errors = []


def load_one(name):
    try:
        importlib.import_module(name)
    except Exception as error:
        errors.append(error)


threads = [threading.Thread(target=load_one, args=(name,)) for name in ("left", "right")]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(errors, "left" in sys.modules, "right" in sys.modules)


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "made_up":
            return importlib.machinery.ModuleSpec(name, Finder)

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        module.value = module.__spec__.name


import importlib.machinery
sys.meta_path.insert(0, Finder)
import made_up
print(made_up.value, made_up)
sys.meta_path.remove(Finder)

real = __builtins__.__import__ if hasattr(__builtins__, "__import__") else __builtins__["__import__"]


def spy(name, *args, **kwargs):
    print("spy", name, args[2:])
    return real(name, *args, **kwargs)


import builtins
builtins.__import__ = spy
import pkg.one as renamed
from pkg import two, one
builtins.__import__ = real
