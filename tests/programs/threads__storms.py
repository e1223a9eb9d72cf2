"""threading: a thousand threads at once, storms on every primitive, locks released by others, errors, forks."""
import _thread
import io
import os
import queue
import sys
import threading
import time


def thousand():
    start, here = threading.Event(), threading.Semaphore(0)
    numbers = []

    def work(i):
        here.release()
        start.wait()
        numbers.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1000)]
    for t in threads:
        t.start()
    for _ in threads:
        here.acquire()
    print(threading.active_count() > 1000, len(threading.enumerate()) == threading.active_count())
    start.set()
    for t in threads:
        t.join()
    print(len(numbers), sum(numbers), any(t.is_alive() for t in threads))


def together(n, function, *args):
    errors = []

    def run(i):
        try:
            function(i, *args)
        except BaseException as e:
            errors.append(e)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


def barriers():
    barrier, rounds = threading.Barrier(8), []

    def work(i):
        for _ in range(50):
            if barrier.wait() == 0:
                rounds.append(None)

    together(8, work)
    print(len(rounds), barrier.n_waiting, barrier.broken)
    broken = threading.Barrier(3)
    kinds = []

    def stuck(i):
        try:
            broken.wait(0.01 if i == 0 else None)
        except threading.BrokenBarrierError as e:
            kinds.append(type(e).__name__)

    together(2, stuck)
    print(kinds, broken.broken)


def semaphores():
    semaphore, lock = threading.BoundedSemaphore(3), threading.Lock()
    inside = most = total = 0

    def work(i):
        nonlocal inside, most, total
        for _ in range(100):
            with semaphore:
                with lock:
                    inside += 1
                    most = max(most, inside)
                    total += 1
                with lock:
                    inside -= 1

    together(8, work)
    print(inside, most <= 3, total)
    try:
        semaphore.release()
    except ValueError as e:
        print(e)


def conditions():
    condition, items, got = threading.Condition(), [], []

    def produce(i):
        for k in range(100):
            with condition:
                items.append((i, k))
                condition.notify()

    def consume(i):
        for _ in range(100):
            with condition:
                while not items:
                    condition.wait()
                got.append(items.pop())

    together(8, lambda i: (produce if i % 2 else consume)(i))
    print(len(got), len(items))
    with condition:
        print(condition.wait(0.001), condition.wait_for(lambda: 7))
    try:
        condition.notify()
    except RuntimeError as e:
        print(e)


def timers():
    fired, done = [], threading.Event()

    def fire(i):
        fired.append(i)
        if len(fired) == 50:
            done.set()

    timers = [threading.Timer(0.001 * (i % 5), fire, (i,)) for i in range(50)]
    stopped = threading.Timer(600, fire, (-1,))
    for t in [stopped, *timers]:
        t.start()
    stopped.cancel()
    print(done.wait(60), sorted(fired) == list(range(50)))
    stopped.join()


def queues():
    work, results = queue.Queue(5), queue.SimpleQueue()

    def run(i):
        if i < 4:
            for k in range(200):
                work.put(i * 200 + k)
            work.put(None)
        else:
            while (item := work.get()) is not None:
                results.put(item)

    together(8, run)
    print(sum(results.get() for _ in range(800)), work.empty())


def handed_over():
    lock = threading.Lock()
    lock.acquire()
    t = threading.Thread(target=lock.release)
    t.start()
    t.join()
    print(lock.locked(), lock.acquire(False))
    ping, pong = threading.Lock(), threading.Lock()
    ping.acquire(), pong.acquire()
    count = 0

    def other():
        nonlocal count
        for _ in range(300):
            ping.acquire()
            count += 1
            pong.release()

    t = threading.Thread(target=other)
    t.start()
    for _ in range(300):
        ping.release()
        pong.acquire()
    t.join()
    print(count)
    rlock = threading.RLock()
    rlock.acquire()
    wrong = []

    def release():
        try:
            rlock.release()
        except RuntimeError as e:
            wrong.append(str(e))

    t = threading.Thread(target=release)
    t.start()
    t.join()
    print(wrong, rlock.release())


def errors():
    def fail():
        raise ValueError("in a thread")

    caught = []
    before = threading.excepthook
    threading.excepthook = lambda args: caught.append((args.exc_type, str(args.exc_value), args.thread.name))
    for target in (fail, sys.exit):
        t = threading.Thread(target=target, name="failing")
        t.start()
        t.join()
    threading.excepthook = before
    print(caught)
    sys.stderr, before = io.StringIO(), sys.stderr
    t = threading.Thread(target=fail, name="shown")
    t.start()
    t.join()
    text, sys.stderr = sys.stderr.getvalue(), before
    print(text.splitlines()[0], text.splitlines()[-1])
    for wrong in (lambda: t.start(), lambda: threading.current_thread().join(), lambda: threading.Thread().join()):
        try:
            wrong()
        except RuntimeError as e:
            print(e)


def locals_of_threads():
    class Numbered(threading.local):
        made = []

        def __init__(self, first):
            self.numbers = [first]
            Numbered.made.append(threading.get_ident())

    data, seen = Numbered(7), []

    def work(i):
        data.numbers.append(i)
        seen.append(tuple(data.numbers))

    together(20, work)
    print(sorted(seen) == [(7, i) for i in range(20)], data.numbers, len(Numbered.made))


def forks():
    def child(number):
        # Only the thread that forked is here, and it is the main one.
        same = threading.current_thread() is threading.main_thread()
        ok = same and threading.active_count() == 1
        together(3, lambda i: time.sleep(0))
        os._exit(number if ok else 99)

    codes = []

    def work(i):
        pid = os.fork()
        if pid == 0:
            child(i)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    stop = threading.Event()
    busy = [threading.Thread(target=lambda: [None for _ in iter(stop.is_set, True)]) for _ in range(2)]
    for t in busy:
        t.start()
    together(5, work)
    stop.set()
    for t in busy:
        t.join()
    print(sorted(codes))


def low_level():
    done = _thread.allocate_lock()
    done.acquire()
    values = []

    def run(*args, **kwargs):
        values.append((args, kwargs))
        done.release()

    _thread.start_new_thread(run, (1, 2), {"c": 3})
    print(done.acquire(timeout=60), values)


def ends():
    program = """
import threading, time, sys, atexit
def forever():
    while True:
        time.sleep(0.001); [i for i in range(100)]
for _ in range(5):
    threading.Thread(target=forever, daemon=True).start()
threading.Thread(target=lambda: (time.sleep(0.05), print("waited for"))).start()
atexit.register(print, "at exit")
print("main ends")
"""
    import subprocess

    run = subprocess.run([sys.executable, *flags(), "-c", program], capture_output=True, text=True, timeout=60)
    print(run.returncode, run.stdout.split("\n"), run.stderr)


def flags():
    import subprocess

    return subprocess._args_from_interpreter_flags()


if __name__ == "__main__":
    for part in (thousand, barriers, semaphores, conditions, timers, queues, handed_over, errors):
        print("---", part.__name__)
        part()
    for part in (locals_of_threads, forks, low_level, ends):
        print("---", part.__name__, flush=True)
        part()
