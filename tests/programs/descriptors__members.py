# Kinds of descriptors of builtin classes, and what they refuse; signatures of builtin functions.
import inspect
import time
import types


def attempt(f, *args):
    try:
        return f(*args)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


for owner, names in (
    (complex, "real imag"),
    (float, "real imag"),
    (slice, "start stop step"),
    (range, "start stop step"),
    (property, "fget fset fdel"),
    (types.FunctionType, "__closure__ __globals__ __code__ __defaults__"),
    (types.MethodType, "__func__ __self__"),
    (type, "__basicsize__ __mro__ __base__ __name__"),
    (time.struct_time, "tm_year tm_zone"),
    (types.CodeType, "co_names co_varnames co_flags"),
    (StopIteration, "value"),
):
    print(owner.__name__, [type(owner.__dict__[name]).__name__ for name in names.split()])
print(complex.real, complex.real.__qualname__, complex.real.__objclass__, complex.__dict__["real"].__doc__)
print(inspect.ismemberdescriptor(complex.real), inspect.isgetsetdescriptor(float.real))


class Slots:
    __slots__ = ("a",)


print(type(Slots.a) is type(complex.real), attempt(lambda: Slots().a))
print(attempt(setattr, 1j, "real", 2), attempt(setattr, len, "__self__", 2), attempt(setattr, slice(1), "start", 2))
print(attempt(complex.real.__get__, 3), attempt(complex.real.__get__, 3j))
print(attempt(setattr, time.gmtime(0), "tm_zone", "x"), attempt(time.struct_time, "123456789", None))
for function in (len, sum, sorted, isinstance, print, [].append, {}.get, "".split, int.__add__, (1).__add__, abs, divmod):
    print(function.__name__, inspect.signature(function))
print(inspect.signature(str.join), inspect.signature(object.__init__))


# Classes: pickling arguments, class items, names that cannot be encoded.
class Ex:
    def __init__(self, given):
        self.given = given

    def __getnewargs_ex__(self):
        return self.given


for given in (((1,), {}), ((1,), {"a": 2}), [(), {}], ((), {}, 1), ("a", {}), ((), "b")):
    result = attempt(Ex(given).__reduce_ex__, 2)
    print(result if isinstance(result, str) else (result[0].__name__, result[1][1:]))


class NoItems(tuple):
    __class_getitem__ = None


print(attempt(lambda: NoItems[int]), (x for x in ()).__class__[int])
print(attempt(type, "A\udcdc", (), {}), attempt(type, "A", (), {"__doc__": "x\udcdc"}))
x = None
try:
    x **= 2
except TypeError as error:
    print(error)
