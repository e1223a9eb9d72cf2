"""exec() of a function's code, and what stands for its variables and builtins."""

import sys
import types


def outer():
    held = None
    x = None

    def scope():
        nonlocal held
        nonlocal x
        try:
            def f():
                return x
        finally:
            held["seen"] = locals()

    return scope.__code__


code = outer()
given = {"held": {}, "x": 4}
cells = tuple(types.CellType(given[name]) for name in code.co_freevars)
exec(code, {}, given, closure=cells)
print(sorted(given["held"]["seen"]), given["held"]["seen"]["f"]())


def local():
    y = 5
    return sorted(locals())


print(eval(local.__code__, {}, {"z": 1}))

namespace = {"type": type, "__builtins__": {"None": None}}
exec("def f(): pass\ng = type(f)(f.__code__, {})", namespace)
print(namespace["f"].__builtins__ == namespace["g"].__builtins__ == {"None": None})
namespace = {"exec": exec, "names": {}, "__builtins__": {"len": len}}
exec("exec('n = len(\"abc\")', names)", namespace)
print(namespace["names"]["n"], list(namespace["names"]["__builtins__"]))

# The variables of comprehensions in module and class bodies.
print([sys._getframe().f_locals["a"] for a in [0]][0], "a" in [sys._getframe().f_locals for a in [0]][0])


class C:
    found = [sys._getframe().f_locals["b"] for b in [7]][0]


print(C.found)
