"""Programs that are started without standard descriptors have no such streams, and find the numbers free."""
import shlex
import subprocess
import sys

CODE = """
import os, sys
out = []
for fd in range(3):
    try:
        os.fstat(fd)
        out.append("open")
    except OSError as e:
        out.append(e.strerror)
out += [s is None for s in (sys.stdin, sys.stdout, sys.stderr)]
fd = os.open("/dev/null", os.O_RDONLY)
out.append(fd)
with open(sys.argv[1], "w") as file:
    file.write(repr(out))
"""
import os
import tempfile

with tempfile.TemporaryDirectory() as folder:
    result = os.path.join(folder, "result")
    for closed in ("", "<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        command = f"{shlex.quote(sys.executable)} -S -c {shlex.quote(CODE)} {shlex.quote(result)} {closed}"
        run = subprocess.run(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        print(closed, run.returncode, open(result).read())
