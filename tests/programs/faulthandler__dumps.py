"""faulthandler: on request, after a time, on fatal and chosen signals."""
import faulthandler
import re
import subprocess
import sys
import tempfile
import threading
import time


def normal(text):
    text = re.sub(r"0x[0-9a-f]{16}", "ID", text)
    # Later versions show names of threads.
    text = re.sub(r" \[[^]]*\] \(most", " (most", text)
    text = re.sub(r'File "[^"]*[/\\]([^"/\\]*)"', r'File "\1"', text)
    return [line for line in text.splitlines() if "<string>" in line or "__.py" in line or "thread" in line.lower() or "rror" in line or "Stack" in line or "Timeout" in line]


def inner(f):
    faulthandler.dump_traceback(f, all_threads=False)


with tempfile.TemporaryFile("w+") as f:
    inner(f)
    f.seek(0)
    print(normal(f.read()))
with tempfile.TemporaryFile("w+") as f:
    ready, stop = threading.Event(), threading.Event()

    def work():
        ready.set()
        stop.wait()

    t = threading.Thread(target=work)
    t.start()
    ready.wait()
    faulthandler.dump_traceback(f)
    stop.set()
    t.join()
    f.seek(0)
    lines = normal(f.read())
    print(sum(line.startswith("Thread ID") for line in lines), sum(line.startswith("Current thread ID") for line in lines))
with tempfile.TemporaryFile("w+") as f:
    faulthandler.dump_traceback_later(0.05, file=f)
    time.sleep(0.5)
    faulthandler.cancel_dump_traceback_later()
    f.seek(0)
    lines = normal(f.read())
    print(lines[0], lines[1:2] != [])
    f.seek(0)
    f.truncate()
    faulthandler.dump_traceback_later(60, file=f)
    faulthandler.cancel_dump_traceback_later()
    print(repr(f.read()))
for call in ("_sigsegv", "_sigabrt", "_sigfpe"):
    code = f"import faulthandler\nfaulthandler.enable()\ndef f():\n    faulthandler.{call}()\nf()"
    r = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    lines = normal(r.stderr)
    print(r.returncode, lines[0], [line.split(" (")[0] for line in lines[1:4]])
code = "import faulthandler, signal, os\nfaulthandler.register(signal.SIGUSR1, all_threads=False)\ndef f():\n    os.kill(os.getpid(), signal.SIGUSR1)\nf()\nprint(faulthandler.unregister(signal.SIGUSR1), faulthandler.unregister(signal.SIGUSR1))"
r = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
print(r.returncode, r.stdout, normal(r.stderr))
was = faulthandler.is_enabled()
faulthandler.enable()
print(faulthandler.is_enabled(), faulthandler.disable(), faulthandler.is_enabled(), faulthandler.disable())
for f, args in (
    (faulthandler.dump_traceback_later, (0,)),
    (faulthandler.dump_traceback_later, (-1,)),
    (faulthandler.register, (11,)),
    (faulthandler.register, (0,)),
    (faulthandler.enable, (-1,)),
    (faulthandler.dump_traceback, ("x",)),
):
    try:
        f(*args)
    except Exception as e:
        print(type(e).__name__, e)
