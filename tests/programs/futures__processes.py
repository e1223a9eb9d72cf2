"""concurrent.futures.ProcessPoolExecutor: results, errors, a worker killed in the middle, in each start method."""
import multiprocessing as mp
import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool


def square(x):
    return x * x


def fail(x):
    raise ValueError(x)


def pid():
    return os.getpid()


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def crash():
    os.kill(os.getpid(), signal.SIGSEGV)


def setup(x):
    global given
    given = x


def given_twice():
    return given * 2


def main():
    for method in ("fork", "forkserver", "spawn"):
        ctx = mp.get_context(method)
        print(method)
        with ProcessPoolExecutor(2, mp_context=ctx) as pool:
            print(list(pool.map(square, range(6))), list(pool.map(square, range(6), chunksize=3)))
            future = pool.submit(fail, 3)
            print(repr(future.exception()), type(future.exception().__cause__).__name__)
            futures = [pool.submit(square, i) for i in range(10)]
            print(sum(f.result() for f in as_completed(futures)), len(wait(futures).done))
        for end in (die, crash):
            with ProcessPoolExecutor(2, mp_context=ctx) as pool:
                worker = pool.submit(pid).result()
                print(worker != os.getpid())
                broken = pool.submit(end)
                print(type(broken.exception()) is BrokenProcessPool)
                try:
                    pool.submit(square, 1)
                except BrokenProcessPool as e:
                    print("broken")
        with ProcessPoolExecutor(2, mp_context=ctx) as pool:
            running = pool.submit(time.sleep, 600)
            while not pool._processes:
                time.sleep(0.01)
            waiting = [pool.submit(time.sleep, 600) for _ in range(3)]
            for process in list(pool._processes.values()):
                process.kill()
            print({type(f.exception()).__name__ for f in [running, *waiting]})
        with ProcessPoolExecutor(1, mp_context=ctx, initializer=setup, initargs=(21,)) as pool:
            print(pool.submit(given_twice).result())
        pool = ProcessPoolExecutor(1, mp_context=ctx)
        futures = [pool.submit(square, i) for i in range(50)]
        pool.shutdown(cancel_futures=True)
        print(all(f.done() for f in futures))


if __name__ == "__main__":
    main()
