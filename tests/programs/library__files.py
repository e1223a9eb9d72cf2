"""Files of the library can be read, listed and asked for as files, wherever they lie; modules run as scripts."""
import glob
import inspect
import io
import json
import linecache
import os
import pathlib
import stat
import subprocess
import sys
import tokenize

path = json.__file__
print(os.path.basename(path), os.path.exists(path), os.path.isfile(path), os.path.isdir(path), os.path.islink(path))
folder = os.path.dirname(path)
print(os.path.isdir(folder), os.path.isdir(os.path.dirname(folder)), os.access(path, os.R_OK), os.path.exists(path + "x"))
with open(path) as file:
    text = file.read()
print(text == inspect.getsource(json), file.name == path)
with open(path, "rb") as file:
    print(file.read().decode() == text, os.fstat(file.fileno()).st_size == os.stat(path).st_size == len(text.encode()))
fd = os.open(path, os.O_RDONLY)
print(os.read(fd, 3) == text[:3].encode())
os.close(fd)
print({"__init__.py", "decoder.py", "encoder.py", "scanner.py", "tool.py"} <= set(os.listdir(folder)))
print(b"tool.py" in os.listdir(folder.encode()))
with os.scandir(folder) as entries:
    print([(e.name, e.is_file(), e.is_dir(), e.stat().st_size > 0) for e in entries if e.name == "tool.py"])
print([os.path.basename(p) for p in sorted(glob.glob(os.path.join(folder, "*coder.py")))])
print(stat.S_ISREG(os.lstat(path).st_mode), stat.S_ISDIR(os.stat(folder + "/").st_mode), stat.S_ISDIR(os.stat(os.path.join(folder, "..", "json")).st_mode))
print(os.path.samefile(path, os.path.join(folder, ".", "__init__.py")), os.path.samefile(path, os.path.join(folder, "tool.py")))
print(pathlib.Path(path).resolve() == pathlib.Path(os.path.realpath(path)), pathlib.Path(path).read_text() == text)
print(len(linecache.getlines(path)) == len(text.splitlines()))
with tokenize.open(path) as file:
    print(file.encoding)
for call in [lambda: open(folder), lambda: os.listdir(path), lambda: open(os.path.join(folder, "no such file")), lambda: os.scandir(path), lambda: open(path + "/")]:
    try:
        print(call())
    except OSError as e:
        print(type(e).__name__, e.strerror)
import calendar
run = subprocess.run([sys.executable, calendar.__file__, "2024", "2"], capture_output=True, text=True)
print(run.stdout, run.stderr)
with io.open_code(path) as file:
    print(file.read() == text.encode())
import shutil
import tempfile
with tempfile.TemporaryDirectory() as temporary:
    shutil.copy2(path, temporary)
    print(os.listdir(temporary))
    shutil.copytree(folder, os.path.join(temporary, "tree"))
    print(open(os.path.join(temporary, "tree", "__init__.py")).read() == text)
