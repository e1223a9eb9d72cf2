# The module of a native class, also where its instances have a `__module__` of their own.
import collections
import datetime
import types

for cls in [
    type,
    object,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.CodeType,
    types.GetSetDescriptorType,
    collections.OrderedDict,
    collections.deque,
    datetime.date,
    type(len),
    type(lambda: 0),
]:
    print(cls.__name__, cls.__module__, cls.__qualname__)


class Own:
    __module__ = 5


print(Own.__module__, Own().__module__)
print((lambda: 0).__module__, len.__module__, [].append.__module__)
