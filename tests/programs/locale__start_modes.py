"""What the environment's locale, UTF-8 mode and the coercion of the C locale make of streams, arguments and file names."""
import os
import subprocess
import sys

SHOW = (
    "import io, os, sys, locale;"
    "print(sys.flags.utf8_mode, sys.getfilesystemencoding(), sys.stdin.encoding, sys.stdin.errors, sys.stdout.encoding, sys.stdout.errors,"
    "sys.stderr.encoding, sys.stderr.errors, locale.getencoding(), locale.getpreferredencoding(False), io.text_encoding(None),"
    "open(os.devnull).encoding, open(os.devnull, encoding='locale').encoding, os.environ.get('LC_CTYPE'), ascii(sys.argv[1:]),"
    "ascii(os.environ.get('WORD')), ascii(os.fsdecode(b'h\\xc3\\xa9')), os.fsencode(os.fsdecode(b'h\\xc3\\xa9')))"
)
BASE = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}


def show(*options, **variables):
    made = subprocess.run(
        [sys.executable, *options, "-c", SHOW, "hé€"], env=BASE | {"WORD": "ü"} | variables, capture_output=True, text=True, encoding="utf-8"
    )
    print(*options, *(f"{n}={v}" for n, v in variables.items()))
    print("   ", made.returncode, made.stdout.strip(), made.stderr.strip().replace("python: ", ""))


for variables in ({"LANG": "C.UTF-8"}, {"LC_ALL": "C.UTF-8"}, {"LC_CTYPE": "C.utf8"}, {}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}, {"LC_ALL": "no-such.locale"},
                  {"LANG": "C"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}):
    for utf8 in ({}, {"PYTHONUTF8": "0"}, {"PYTHONUTF8": "1"}):
        show(**variables, **utf8)
show("-X", "utf8", LC_ALL="C.UTF-8", PYTHONUTF8="0")
show("-X", "utf8=0", LC_ALL="C", PYTHONUTF8="1")
show("-E", LC_ALL="C.UTF-8", PYTHONUTF8="1")
show("-X", "utf8=0", LC_ALL="C.UTF-8", PYTHONIOENCODING="latin1")
show("-X", "utf8", LC_ALL="C.UTF-8", PYTHONIOENCODING=":namereplace")
show("-X", "utf8=0", LC_ALL="C", PYTHONIOENCODING=":replace")
show("-X", "utf8=0", LANG="C", PYTHONCOERCECLOCALE="warn")
show("-X", "utf8=0", LC_ALL="C", PYTHONCOERCECLOCALE="warn")
for wrong in ("-X utf8=2", "-X utf8=yes"):
    made = subprocess.run([sys.executable, *wrong.split(), "-c", "0"], capture_output=True, text=True)
    print(made.returncode, made.stderr.splitlines()[0])
made = subprocess.run([sys.executable, "-c", "0"], capture_output=True, text=True, env=BASE | {"PYTHONUTF8": "x"})
print(made.returncode, made.stderr.splitlines()[0])
