"""Futures: their states, callbacks, waiters and subclasses; results awaited while they are set."""
import pickle
import threading
from concurrent import futures
from concurrent.futures import CancelledError, Future, InvalidStateError, ThreadPoolExecutor


def outcome(call, *args):
    try:
        return call(*args)
    except BaseException as exc:
        return type(exc).__name__


def states(future):
    return future.cancelled(), future.running(), future.done(), future._state


# From pending to finished.
future = Future()
print(states(future), outcome(future.result, 0), outcome(future.exception, 0))
print(future.set_running_or_notify_cancel(), states(future), future.cancel())
future.set_result([1])
print(states(future), future.result(), future.result(timeout=1), future.exception(), future.cancel())
print(outcome(future.set_result, 2), outcome(future.set_exception, ValueError()), future.result())

# An exception.
future = Future()
future.set_exception(KeyError("gone"))
print(states(future), outcome(future.result), repr(future.exception()))
print(outcome(future.set_running_or_notify_cancel))

# Cancelled.
future = Future()
print(future.cancel(), future.cancel(), states(future), outcome(future.result), outcome(future.exception))
print(future.set_running_or_notify_cancel(), states(future), outcome(future.set_result, 1))

# Callbacks: in order, each once, at once when it is done already.
seen = []
future = Future()
future.add_done_callback(lambda f: seen.append((1, f.result())))
future.add_done_callback(lambda f: seen.append((2, f is future)))
print(len(future._done_callbacks), future._waiters)
future.add_done_callback(lambda f: seen.append((3, f.done())))
future.set_result("x")
future.add_done_callback(lambda f: seen.append((4, f.running())))
print(seen)
seen.clear()
future = Future()
future.add_done_callback(lambda f: seen.append(f.cancelled()))
future.cancel()
print(seen)

# Attributes that programs set, as the tests of the library do.
future = Future()
future._state, future._result = "FINISHED", 42
print(future.result(), future.done())
future = Future()
with future._condition:
    print(future._condition is future._condition, future._state)
future.set_result(3)
print(future.result(), repr(future).split(" state=")[1])


# A subclass gets all the calls.
class Told(Future):
    def __init__(self):
        super().__init__()
        self.calls = []

    def set_result(self, result):
        self.calls.append("set_result")
        super().set_result(result)

    def _invoke_callbacks(self):
        self.calls.append("_invoke_callbacks")
        super()._invoke_callbacks()


told = Told()
told.set_result(7)
print(told.calls, told.result(), told.done(), isinstance(told, Future))
print(outcome(Future, 1), Future.__qualname__, Future.__module__, outcome(pickle.dumps, Future()), outcome(lambda: Future._condition.x))

# What was submitted, by every way to wait for it.
with ThreadPoolExecutor(3) as pool:
    print(sum(pool.map(lambda n: n * n, range(500))))
    given = [pool.submit(pow, n, 2) for n in range(300)]
    print(sum(f.result() for f in given))
    given = [pool.submit(pow, n, 2) for n in range(100)]
    print(sum(f.result() for f in futures.as_completed(given)))
    given = [pool.submit(divmod, 1, n) for n in range(3)]
    done, rest = futures.wait(given)
    print(sorted(type(f.exception()).__name__ for f in done), len(rest))
    done, rest = futures.wait([Future(), pool.submit(int)], return_when=futures.FIRST_COMPLETED)
    print(len(done), len(rest))
    print(outcome(pool.submit(lambda: 1 / 0).result))

# Results that are awaited while they are set, callbacks that are added then, and futures that are cancelled meanwhile.
lost = []
for n in range(300):
    future, got, begin = Future(), [], threading.Barrier(4)

    def wait():
        begin.wait()
        got.append(outcome(future.result, 20))

    def add():
        begin.wait()
        future.add_done_callback(lambda f: got.append("called"))

    def end():
        begin.wait()
        try:
            future.set_result("set")
        except InvalidStateError:
            pass

    def cancel():
        begin.wait()
        future.cancel()

    threads = [threading.Thread(target=f) for f in (wait, add, end, cancel if n % 3 == 0 else wait)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    want = 2 if n % 3 == 0 else 3
    if len(got) != want or got.count("called") != 1 or "TimeoutError" in got:
        lost.append((n, got))
print(lost[:3], issubclass(CancelledError, Exception))
