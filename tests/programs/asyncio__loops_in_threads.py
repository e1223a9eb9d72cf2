# A loop in each of several threads: what is current is a thread's own; others can ask by the loop; futures cross over by call_soon_threadsafe.
import asyncio
import threading


async def work(n, barrier, others, found):
    loop = asyncio.get_running_loop()
    others[n] = (loop, asyncio.current_task())
    barrier.wait()
    # All loops run now.
    found[n] = (
        all(asyncio.current_task(other) is task for other, task in others.values()),
        all(task in asyncio.all_tasks(other) for other, task in others.values()),
        asyncio.all_tasks() == {others[n][1]},
    )
    barrier.wait()

    async def leaf(i):
        await asyncio.sleep(0)
        return asyncio.get_running_loop() is loop and i

    total = 0
    for _ in range(5):
        total += sum(await asyncio.gather(*(leaf(i) for i in range(40))))
    return total


def run(n, barrier, others, found, results):
    results[n] = asyncio.run(work(n, barrier, others, found))


barrier = threading.Barrier(4)
others, found, results = {}, {}, {}
threads = [threading.Thread(target=run, args=(n, barrier, others, found, results)) for n in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(found.items()))
print(sorted(results.items()))
print([asyncio.current_task(loop) for loop, _ in others.values()], [len(asyncio.all_tasks(loop)) for loop, _ in others.values()])


async def served():
    loop = asyncio.get_running_loop()
    futures = [loop.create_future() for _ in range(200)]

    def finish(part):
        for future in part:
            loop.call_soon_threadsafe(future.set_result, threading.current_thread() is threading.main_thread())

    threads = [threading.Thread(target=finish, args=(futures[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    print(set(await asyncio.gather(*futures)))
    futures = [asyncio.run_coroutine_threadsafe(asyncio.sleep(0, i), loop) for i in range(3)]
    print([await asyncio.wrap_future(future) for future in futures])
    print(await asyncio.gather(*(asyncio.to_thread(pow, i, 2) for i in range(5))))


asyncio.run(served())
