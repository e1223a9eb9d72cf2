# From a code object to its class by what refers to what, as the library's `trace` does; and a dict found on the way is a dict.
import gc
import inspect


class Found:
    def method(self):
        return 1

    class Inner:
        def deeper(self):
            return 2


for code in [Found.method.__code__, Found.Inner.deeper.__code__]:
    functions = [f for f in gc.get_referrers(code) if inspect.isfunction(f)]
    dicts = [d for d in gc.get_referrers(functions[0]) if isinstance(d, dict)]
    classes = [c for c in gc.get_referrers(dicts[0]) if hasattr(c, "__bases__")]
    print(len(functions), len(dicts), [c.__qualname__ for c in classes])
    print(code.co_name in dicts[0], dicts[0]["__module__"], type(dicts[0].copy()).__name__)
