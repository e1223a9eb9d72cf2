"""multiprocessing: processes of each start method, how they end, and what they share."""
import multiprocessing as mp
import os
import signal
import sys
import time
from multiprocessing import shared_memory


def nothing():
    pass


def leave(code):
    sys.exit(code)


def fail():
    sys.stderr = open(os.devnull, "w")
    raise ValueError("in the child")


def sleep():
    time.sleep(600)


def serve(conn):
    """Answers until it gets None."""
    with conn:
        while (request := conn.recv()) is not None:
            conn.send((request, type(request).__name__))
        conn.send_bytes(b"bye")


def fill(queue, start, n):
    for i in range(start, start + n):
        queue.put(i)


def write(name, text):
    block = shared_memory.SharedMemory(name=name)
    block.buf[: len(text)] = text
    block.close()


def wait_for(event, barrier, condition, results):
    event.wait()
    barrier.wait()
    with condition:
        results.put("through")
        condition.notify()


def parent_of_daemon(conn):
    conn.send((mp.current_process().daemon, mp.parent_process() is not None))
    try:
        mp.Process(target=nothing).start()
    except AssertionError as e:
        conn.send(str(e))


def square(x):
    return x * x


def raise_for(x):
    if x == 3:
        raise KeyError(x)
    return x


def setup(n):
    global offset
    offset = n


def add_offset(x):
    return x + offset


def ends(ctx):
    for target, args in [(nothing, ()), (leave, (3,)), (leave, (None,)), (fail, ())]:
        p = ctx.Process(target=target, args=args, name="child")
        print(p.exitcode, p.is_alive(), p.name, p.daemon, end=" -> ")
        p.start()
        p.join()
        print(p.exitcode, p.is_alive())
        p.close()
    for act in ("terminate", "kill"):
        p = ctx.Process(target=sleep)
        p.start()
        p.join(0.01)
        print(p.exitcode, p.is_alive(), end=" -> ")
        getattr(p, act)()
        p.join()
        print(p.exitcode == -(signal.SIGTERM if act == "terminate" else signal.SIGKILL), p.is_alive())
    p = ctx.Process(target=os.kill, args=(0, 0))
    try:
        p.join()
    except AssertionError as e:
        print(e)
    here, there = ctx.Pipe()
    p = ctx.Process(target=parent_of_daemon, args=(there,), daemon=True)
    p.start()
    print(here.recv(), here.recv())
    p.join()


def talk(ctx):
    here, there = ctx.Pipe()
    p = ctx.Process(target=serve, args=(there,))
    p.start()
    there.close()
    for request in (1, "two", [3.0], {"four": b"5"}, "x" * 100000):
        here.send(request)
        answer = here.recv()
        print(answer if len(repr(answer)) < 100 else len(answer[0]))
    print(here.poll(0))
    here.send(None)
    print(here.recv_bytes(), p.join(), p.exitcode)
    try:
        here.recv()
    except EOFError:
        print("end")
    queue = ctx.Queue()
    workers = [ctx.Process(target=fill, args=(queue, i * 100, 100)) for i in range(3)]
    for w in workers:
        w.start()
    print(sum(queue.get() for _ in range(300)), queue.empty())
    for w in workers:
        w.join()
    queue.close()
    queue.join_thread()
    simple = ctx.SimpleQueue()
    p = ctx.Process(target=fill, args=(simple, 0, 3))
    p.start()
    print([simple.get() for _ in range(3)], p.join())
    joinable = ctx.JoinableQueue()
    joinable.put(1)
    print(joinable.get(), joinable.task_done(), joinable.join())


def share(ctx):
    block = shared_memory.SharedMemory(create=True, size=100)
    p = ctx.Process(target=write, args=(block.name, b"from the child"))
    p.start()
    p.join()
    print(bytes(block.buf[:14]))
    block.close()
    block.unlink()
    with_list = shared_memory.ShareableList([1, "two", None, 4.0])
    print(list(with_list))
    with_list.shm.close()
    with_list.shm.unlink()
    event, barrier, condition, results = ctx.Event(), ctx.Barrier(3), ctx.Condition(), ctx.Queue()
    workers = [ctx.Process(target=wait_for, args=(event, barrier, condition, results)) for _ in range(2)]
    for w in workers:
        w.start()
    event.set()
    barrier.wait()
    print([results.get() for _ in workers])
    for w in workers:
        w.join()
    semaphore = ctx.BoundedSemaphore(1)
    print(semaphore.acquire(), semaphore.acquire(False), semaphore.release())
    try:
        semaphore.release()
    except ValueError as e:
        print(e)
    rlock = ctx.RLock()
    print(rlock.acquire(), rlock.acquire(), rlock.release(), rlock.release())


def pools(ctx):
    with ctx.Pool(3) as pool:
        print(pool.map(square, range(10)), pool.apply(square, (5,)))
        print(sorted(pool.imap_unordered(square, range(5))), list(pool.imap(square, range(5), chunksize=2)))
        print(pool.starmap(pow, [(2, 3), (3, 2)]))
        try:
            pool.map(raise_for, range(5))
        except KeyError as e:
            print("KeyError", e, type(e.__cause__).__name__)
        result = pool.apply_async(square, (7,))
        print(result.get(60), result.successful())
        pool.close()
        pool.join()
    with ctx.Pool(2, setup, (100,), maxtasksperchild=2) as pool:
        print(pool.map(add_offset, range(8), chunksize=1))


def manage(ctx):
    with ctx.Manager() as manager:
        d, l, n = manager.dict(a=1), manager.list([1, 2]), manager.Namespace(x=1)
        d["b"] = 2
        l.append(3)
        n.x += 1
        print(sorted(d.items()), list(l), n.x, len(l), 3 in l)
        try:
            d["c"]
        except KeyError as e:
            print("KeyError", e)
        lock = manager.Lock()
        print(lock.acquire(), lock.release())


def main():
    for method in ("fork", "forkserver", "spawn"):
        ctx = mp.get_context(method)
        print(f"--- {ctx.get_start_method()}")
        for part in (ends, talk, share, pools, manage):
            part(ctx)
            sys.stdout.flush()
    print(mp.active_children())


if __name__ == "__main__":
    main()
