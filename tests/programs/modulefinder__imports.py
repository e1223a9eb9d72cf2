"""modulefinder reads imports and names from code."""

import os
import tempfile
from modulefinder import ModuleFinder

FILES = {
    "main.py": "import a\nfrom a import b as c, missing\nfrom a.d import *\n",
    "a/__init__.py": "from . import b\ntry:\n    import nowhere\nexcept ImportError:\n    pass\n",
    "a/b.py": "def f():\n    from .. import x\n    from .d import name\n",
    "a/d.py": "name = 1\ndef other():\n    global late\n    late = 2\nclass K: pass\n",
}
with tempfile.TemporaryDirectory() as folder:
    for name, text in FILES.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
    finder = ModuleFinder(path=[folder])
    finder.run_script(os.path.join(folder, "main.py"))
    print(sorted(finder.modules))
    print(finder.any_missing_maybe())
    for name in sorted(finder.modules):
        names = finder.modules[name].globalnames
        print(name, sorted(set(names) - {"__firstlineno__", "__static_attributes__", "__module__", "__qualname__"}))
