"""Lines of the library's own files, by name alone, and of patterns that are no patterns."""

import linecache
import random
import traceback
import warnings

print(linecache.getline(random.__file__, 1)[:30])
print(linecache.getlines("/nowhere/at/all.py"), linecache.getlines(""))
print(warnings.formatwarning("text", UserWarning, random.__file__, 1).splitlines()[1][:30])
linecache.clearcache()
print(random.__file__ in linecache.cache)

for text in ["case -0j ** 0: pass", "case 0 * 1j: pass", "case -1 + 2j: pass"]:
    try:
        compile(f"match x:\n  {text}", "<s>", "exec")
        print("ok")
    except SyntaxError as e:
        print(e.msg, e.offset, e.end_offset)


class Documented:
    """Documented(a, b=1)
--

Has a signature."""


class Not:
    """Documented(a, b=1)
--

Has none."""

    __text_signature__ = "(x)"


print(Documented.__text_signature__, Not.__text_signature__)
