"""Processes: fork and its hooks, exec, spawn, waits, the environment."""
import os
import signal
import sys
import threading
import warnings

warnings.simplefilter("ignore")
r, w = os.pipe()
os.register_at_fork(
    before=lambda: os.write(w, b"before\n"),
    after_in_child=lambda: os.write(w, b"child hook\n"),
    after_in_parent=lambda: None,
)
os.register_at_fork(before=lambda: os.write(w, b"first\n"))
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    thread = threading.Thread(target=lambda: os.write(w, b"thread in child\n"))
    thread.start()
    thread.join()
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
os.close(w)
print(os.read(r, 1000).decode(), end="")
w = os.open(os.devnull, os.O_WRONLY)

# Threads do not live on in the child, and what they held there is free.
stop = threading.Event()
lock = threading.Lock()


def work():
    while not stop.is_set():
        with lock:
            [[] for _ in range(50)]


threads = [threading.Thread(target=work) for _ in range(3)]
for t in threads:
    t.start()
codes = []
sys.stdout.flush()
for _ in range(5):
    pid = os.fork()
    if pid == 0:
        alive = [t for t in threads if t.is_alive()]
        os._exit(3 if not alive and threading.active_count() == 1 and threading.current_thread() is threading.main_thread() else 4)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(codes)
stop.set()
for t in threads:
    t.join()

os.environ["LISLE_TEST"] = "value"
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    os.execv("/bin/sh", ["sh", "-c", "echo $LISLE_TEST; exit 5"])
print(os.waitstatus_to_exitcode(os.wait()[1]))
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "echo spawned $A; exit 6"], {"A": "b"}, file_actions=[(os.POSIX_SPAWN_DUP2, 1, 2)])
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
pid = os.fork()
if pid == 0:
    signal.pause()
    os._exit(0)
os.kill(pid, signal.SIGKILL)
status = os.waitpid(pid, 0)[1]
print(os.WIFSIGNALED(status), os.WTERMSIG(status), os.waitstatus_to_exitcode(status))
with os.popen("echo popen") as f:
    print(os.system("exit 3") >> 8, f.read(), end="")
for f, args in (
    (os.execv, ("/nope", ["a"])),
    (os.execv, ("/nope", [])),
    (os.execve, ("/nope", ["a"], {"a=b": "c"})),
    (os.posix_spawn, ("/nope", ["a"], {})),
    (os.waitpid, (-1, 0)),
    (os.kill, (1.5, 1)),
    (os.putenv, ("a=b", "c")),
    (os.register_at_fork, ()),
):
    try:
        print(f(*args))
    except Exception as e:
        print(f.__name__, type(e).__name__, e)
del os.environ["LISLE_TEST"]
print(os.system('test -z "$LISLE_TEST"'), "LISLE_TEST" in os.environ)
print(os.getpid() != os.getppid(), os.cpu_count() > 0, len(os.sched_getaffinity(0)) > 0, os.uname().sysname)
print(os.sysconf("SC_PAGESIZE") in (4096, 16384, 65536), os.confstr("CS_PATH") is not None, os.getpgrp() == os.getpgid(0))
