"""A thread finds nothing of the one that ended before it, whose native thread it may have."""

import asyncio
import contextvars
import os
import queue
import signal
import sys
import threading
import time


def run(function):
    result = []
    thread = threading.Thread(target=lambda: result.append(function()))
    thread.start()
    thread.join()
    return result[0]


# Values of the thread.
local = threading.local()
variable = contextvars.ContextVar("variable", default="default")


def leave_values():
    local.value = 1
    variable.set("changed")
    asyncio._set_running_loop("a loop")
    sys.setprofile(None)
    return True


def find_values():
    return hasattr(local, "value"), variable.get(), asyncio._get_running_loop()


for _ in range(3):
    print(run(leave_values), run(find_values))

# Blocked signals are those of the thread that starts it.
blocked = lambda: signal.SIGUSR1 in signal.pthread_sigmask(signal.SIG_BLOCK, [])
block = lambda: bool(signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])) or True
print(run(block), run(blocked))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print(run(blocked))
# A signal that all threads block stays pending, whatever became of those that have ended.
os.kill(os.getpid(), signal.SIGUSR1)
time.sleep(0.05)
print(signal.sigpending() == {signal.SIGUSR1}, signal.sigwait([signal.SIGUSR1]) == signal.SIGUSR1)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
print(run(blocked))

# Native ids are those of live threads, serial or not.
ids = {run(threading.get_native_id) for _ in range(5)}
print(os.getpid() not in ids, all(isinstance(i, int) for i in ids))
both = threading.Barrier(2)
pair = []


def meet():
    both.wait()
    pair.append((threading.get_ident(), threading.get_native_id()))
    both.wait()


threads = [threading.Thread(target=meet) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len({ident for ident, _ in pair}), len({native for _, native in pair}))


# What a thread changes of its processors is not undone by its end, nor found by the next.
def narrow():
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    return len(os.sched_getaffinity(0))


everywhere = len(os.sched_getaffinity(0))
print(run(narrow), run(lambda: len(os.sched_getaffinity(0))) == everywhere)

# Exceptions that end threads.
threading.excepthook = lambda args: print("ended by", args.exc_type.__name__)


def fail():
    raise ValueError


for _ in range(3):
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()

# Many at once, then one after the other, and a fork in between.
print(sum(run(lambda n=n: n) for n in range(200)))
threads = [threading.Thread(target=time.sleep, args=(0.001,)) for _ in range(50)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(threading.active_count())
sys.stdout.flush()
import warnings

warnings.simplefilter("error")
pid = os.fork()
if pid == 0:
    os._exit(run(lambda: 7) + run(lambda: 8))
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

# A getter that was woken as the process forked does not keep the child's getters asleep.
items = queue.SimpleQueue()
stop = threading.Event()


def get():
    while items.get() is not None:
        pass


def put():
    while not stop.is_set():
        items.put(1)


warnings.simplefilter("ignore")
threads = [threading.Thread(target=get) for _ in range(3)] + [threading.Thread(target=put)]
for thread in threads:
    thread.start()
codes = []
for _ in range(5):
    pid = os.fork()
    if pid == 0:
        while not items.empty():
            items.get()
        getter = threading.Thread(target=items.get)
        getter.start()
        time.sleep(0.01)
        items.put(2)
        getter.join(10)
        os._exit(int(getter.is_alive()))
    codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
stop.set()
threads[-1].join()
for _ in range(3):
    items.put(None)
for thread in threads:
    thread.join()
print(codes)

# The numbers of threads that can still be asked for theirs differ.
threads = [threading.Thread(target=int) for _ in range(10)]
for thread in threads:
    thread.start()
    thread.join()
print(len({thread.native_id for thread in threads}))
