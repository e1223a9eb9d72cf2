"""asyncio: tasks and groups, timeouts, queues, locks, threads, streams, subprocesses, signals, debug mode."""
import asyncio
import os
import signal
import socket
import sys
import threading
import time


async def groups():
    done = []

    async def work(i, delay, fails=None):
        try:
            await asyncio.sleep(delay)
            if fails:
                raise fails
            done.append(i)
            return i * 10
        except asyncio.CancelledError:
            done.append(f"{i} cancelled")
            raise

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work(i, 0.001 * i)) for i in range(5)]
    print(done, [t.result() for t in tasks])
    done.clear()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(work(1, 0.001, ValueError("one")))
            group.create_task(work(2, 600))
            group.create_task(work(3, 600))
    except* ValueError as group:
        print(group.exceptions, sorted(done))
    results = await asyncio.gather(work(1, 0), work(2, 0, KeyError("two")), work(3, 0), return_exceptions=True)
    print(results)
    finished, pending = await asyncio.wait(
        [asyncio.create_task(work(1, 0)), asyncio.create_task(work(2, 600))], return_when=asyncio.FIRST_COMPLETED
    )
    print(len(finished), len(pending))
    for task in pending:
        task.cancel("enough")
        try:
            await task
        except asyncio.CancelledError as e:
            print("cancelled", e)
    print([await f for f in asyncio.as_completed([work(2, 0.3), work(1, 0)])])


async def timeouts():
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(600)
    except TimeoutError:
        print("timeout")
    try:
        await asyncio.wait_for(asyncio.sleep(600), 0.01)
    except TimeoutError:
        print("wait_for")
    async with asyncio.timeout(600) as limit:
        limit.reschedule(asyncio.get_running_loop().time() + 500)
        print(limit.expired(), await asyncio.wait_for(asyncio.sleep(0, "in time"), 60))
    inner = asyncio.create_task(asyncio.sleep(0.3, "shielded"))
    try:
        await asyncio.wait_for(asyncio.shield(inner), 0.001)
    except TimeoutError:
        print(inner.cancelled(), await inner)


async def queues():
    queue = asyncio.Queue(2)
    got = []

    async def consume():
        while True:
            got.append(await queue.get())
            queue.task_done()

    consumers = [asyncio.create_task(consume()) for _ in range(3)]
    for i in range(20):
        await queue.put(i)
    await queue.join()
    print(sorted(got) == list(range(20)), queue.empty(), queue.maxsize)
    queue.shutdown()
    print([type(r).__name__ for r in await asyncio.gather(*consumers, return_exceptions=True)])
    order = asyncio.PriorityQueue()
    for i in (3, 1, 2):
        order.put_nowait(i)
    print([order.get_nowait() for _ in range(3)])
    lock, semaphore, event, condition = asyncio.Lock(), asyncio.Semaphore(2), asyncio.Event(), asyncio.Condition()
    barrier = asyncio.Barrier(3)
    inside = most = 0

    async def enter(i):
        nonlocal inside, most
        async with semaphore:
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
        async with lock:
            pass
        await event.wait()
        async with condition:
            condition.notify_all()
        return await barrier.wait()

    tasks = [asyncio.create_task(enter(i)) for i in range(3)]
    await asyncio.sleep(0.01)
    event.set()
    print(most, sorted(await asyncio.gather(*tasks)), lock.locked())


async def threads():
    loop = asyncio.get_running_loop()
    me = threading.get_ident()
    print(await asyncio.to_thread(threading.get_ident) != me)
    results = await asyncio.gather(*(asyncio.to_thread(pow, 2, i) for i in range(50)))
    print(results == [2**i for i in range(50)])
    future = loop.create_future()
    threading.Thread(target=loop.call_soon_threadsafe, args=(future.set_result, "from a thread")).start()
    print(await future)

    def other():
        return asyncio.run_coroutine_threadsafe(asyncio.sleep(0.001, "back"), loop).result(60)

    print(await loop.run_in_executor(None, other))
    try:
        await asyncio.to_thread(int, "x")
    except ValueError as e:
        print(e)


async def streams():
    async def echo(reader, writer):
        try:
            while line := await reader.readline():
                writer.write(line.upper())
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def client(i):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answers = []
        for k in range(3):
            writer.write(f"client {i} line {k}\n".encode())
            await writer.drain()
            answers.append(await reader.readline())
        writer.write_eof()
        rest = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answers == [f"CLIENT {i} LINE {k}\n".encode() for k in range(3)] and rest == b""

    print(all(await asyncio.gather(*(client(i) for i in range(50)))))
    server.close()
    await server.wait_closed()
    try:
        await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError as e:
        print(type(e).__name__)
    reader = asyncio.StreamReader(limit=10)
    reader.feed_data(b"x" * 30)
    reader.feed_eof()
    try:
        await reader.readuntil(b"\n")
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError) as e:
        print(type(e).__name__)
    left, right = socket.socketpair()
    reader, writer = await asyncio.open_unix_connection(sock=left)
    right.sendall(b"exactly")
    print(await reader.readexactly(7))
    right.close()
    try:
        await reader.readexactly(1)
    except asyncio.IncompleteReadError as e:
        print(e.partial, e.expected)
    writer.close()


async def subprocesses():
    p = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    print(await p.communicate(b"through cat"), p.returncode)
    p = await asyncio.create_subprocess_shell("echo out; echo err >&2; exit 3", stdout=-1, stderr=-1)
    print(await p.communicate(), await p.wait())
    p = await asyncio.create_subprocess_exec("sleep", "600")
    p.terminate()
    print(await p.wait() == -signal.SIGTERM)
    try:
        await asyncio.create_subprocess_exec("/nope")
    except FileNotFoundError as e:
        print(e.errno, e.filename)
    many = await asyncio.gather(*(asyncio.create_subprocess_exec("sh", "-c", f"exit {i}") for i in range(10)))
    print(await asyncio.gather(*(p.wait() for p in many)))


async def signals():
    loop = asyncio.get_running_loop()
    came = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, came.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(came.wait(), 60)
    print("signal", loop.remove_signal_handler(signal.SIGUSR1))


async def generators():
    async def count(n):
        try:
            for i in range(n):
                yield i
                await asyncio.sleep(0)
        finally:
            print("closed")

    print([i async for i in count(3)])
    async for i in count(100):
        if i == 2:
            break
    await asyncio.sleep(0.01)
    async with asyncio.timeout(60):
        print([x async for x in count(2) if x], {x: x async for x in count(2)})


async def errors():
    loop = asyncio.get_running_loop()
    seen = []
    loop.set_exception_handler(lambda loop, context: seen.append((context["message"], repr(context.get("exception")))))
    loop.call_soon(lambda: 1 / 0)

    async def lost():
        raise ValueError("nobody looks")

    task = asyncio.create_task(lost())
    await asyncio.sleep(0.01)
    del task
    await asyncio.sleep(0)
    for message, exception in seen:
        print(message.split(" at ")[0].split("<lambda>")[0], exception)


def interrupted():
    async def main():
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGINT)
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            print("cancelled")
            raise

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print("KeyboardInterrupt")


def debugged():
    import logging

    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    logging.getLogger("asyncio").addHandler(handler)
    logging.getLogger("asyncio").propagate = False

    async def main():
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 0.01
        print(loop.get_debug(), sys.get_coroutine_origin_tracking_depth() > 0)
        await asyncio.sleep(0)
        time.sleep(0.05)
        await asyncio.sleep(0)
        try:
            await asyncio.to_thread(loop.call_soon, print)
        except RuntimeError as e:
            print(e)

    asyncio.run(main(), debug=True)
    print(any(r.startswith("Executing <Task") for r in records))


for part in (groups, timeouts, queues, threads, streams, subprocesses, signals, generators, errors):
    print("---", part.__name__)
    asyncio.run(part())
interrupted()
debugged()
with asyncio.Runner() as runner:
    print(runner.run(asyncio.sleep(0, "first")), runner.run(asyncio.sleep(0, "second")))
