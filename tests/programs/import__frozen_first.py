"""Files beside a script do not hide the modules that are frozen in CPython; others they do."""
import os
import subprocess
import sys
import tempfile

names = ["os", "io", "codecs", "abc", "site", "stat", "posixpath", "genericpath", "_collections_abc", "runpy", "zipimport", "string", "fnmatch"]
with tempfile.TemporaryDirectory() as folder:
    for name in names:
        with open(os.path.join(folder, name + ".py"), "w") as file:
            file.write("hidden = True\n")
    with open(os.path.join(folder, "main.py"), "w") as file:
        file.write("import importlib, sys\n")
        file.write("class Finder:\n    def find_spec(self, *args): return None\n")
        file.write("if sys.argv[1:]: sys.meta_path.insert(0, Finder())\n")
        file.write(f"for name in {names}:\n    sys.modules.pop(name, None)\n")
        file.write(f"for name in {names}:\n    print(name, hasattr(importlib.import_module(name), 'hidden'))\n")
    for more in [[], ["changed"]]:
        run = subprocess.run([sys.executable, os.path.join(folder, "main.py"), *more], capture_output=True, text=True)
        print(run.stdout, run.stderr, sep="")
