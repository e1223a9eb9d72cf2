# `__builtins__` of other kinds: mappings, subclasses of dict, modules, nonsense; keys that only compare like names.
import types


def attempt(f, *args):
    try:
        return f(*args)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


code = compile("superglobal", "test", "eval")
print(attempt(eval, code, {"__builtins__": types.MappingProxyType({"superglobal": 1})}))
print(attempt(eval, code, {"__builtins__": types.MappingProxyType({})}))
print(attempt(eval, code, {"__builtins__": 123}))
module = types.ModuleType("m")
module.superglobal = 2
print(attempt(eval, code, {"__builtins__": module}))


class Refusing(dict):
    def __getitem__(self, key):
        raise RuntimeError(f"asked for {key}")


class Answering(dict):
    def __missing__(self, key):
        return key * 2


print(attempt(eval, code, {"__builtins__": Refusing({"superglobal": 1})}))
print(attempt(eval, code, {"__builtins__": Answering()}))
print(attempt(eval, code, Refusing({"superglobal": 1})))
print(attempt(exec, "class A: pass", {"__builtins__": {}, "__name__": "x"}))
print(attempt(exec, "import foo.bar", {"__builtins__": types.MappingProxyType({})}))
space = {"__builtins__": types.MappingProxyType({"__import__": lambda *args: args[0]})}
exec("import foo.bar", space)
print(space["foo"])
space = {"__builtins__": types.MappingProxyType({"len": len, "print": print})}
exec("def f(x):\n    return len(x)\nprint(f('abc'), f('ab'))\nprint(type.__name__ if 0 else 'no type needed')", space)
print(space["f"].__builtins__)
print(attempt(eval, "x.__reduce__()", {"__builtins__": types.MappingProxyType({}), "x": iter([1, 2])}))


class Like:
    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return hash(self.name)

    def __eq__(self, other):
        return other == self.name


class Instance:
    pass


instance = Instance()
instance.__dict__[Like("attribute")] = 5
print(instance.attribute)
print(eval("name + 1", {Like("name"): 6}))
# Native code finds its own builtins, whatever those of the program are.
import io
import re

space = {"__builtins__": {}, "io": io, "re": re, "buffer": bytearray(3)}
print(eval("[io.BytesIO(b'abc').readinto(buffer), [m for m in re.finditer('b', 'abb')][0].start()]", space), space["buffer"])
