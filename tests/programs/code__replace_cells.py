"""Names of cells that do not fit the instructions are refused. (CPython takes them, and crashes: the expected lines are those without them.)"""

import sys


def function(a, b):
    def inner():
        return a

    sys._getframe().f_locals["a"] = {1: 2, 3: 4}
    return a


original = function.__code__
try:
    function.__code__ = original.replace(co_cellvars=("b",))
    function(1, 2)
except (ValueError, NameError, SystemError):
    pass
function.__code__ = original
print(function(1, 2))
print(original.replace(co_cellvars=original.co_cellvars) == original)
