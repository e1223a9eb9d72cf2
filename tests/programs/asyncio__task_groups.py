"""`TaskGroup`: tasks that are done at once, that fail, are cancelled, or belong to groups that override what the library does."""

import asyncio
import asyncio.taskgroups
import contextvars
import sys

var = contextvars.ContextVar("var", default=0)


async def leaf(n, wait=0):
    for _ in range(wait):
        await asyncio.sleep(0)
    return n


async def fails(n):
    raise ValueError(n)


async def tree(levels):
    if levels == 0:
        return 1
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(tree(levels - 1)) for _ in range(3)]
    return sum(task.result() for task in tasks)


async def plain(eager):
    if eager:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    print(await tree(4))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(leaf(n, n % 3)) for n in range(7)]
    print([task.result() for task in tasks], len(group._tasks), group._on_completed_fut)
    if eager:
        # What comes of tasks that fail at once differs from 3.13 to 3.14.
        return
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(leaf(1))
            group.create_task(fails(2))
            waits = group.create_task(leaf(3, 50))
    except ExceptionGroup as error:
        print(error, [repr(e) for e in error.exceptions], waits.cancelled())
    async with asyncio.TaskGroup() as group:
        cancelled = group.create_task(leaf(1, 50))
        cancelled.cancel()
        group.create_task(leaf(2))
    print(cancelled.cancelled())
    try:
        async with asyncio.timeout(0.01), asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(10))
    except TimeoutError:
        print("time is up")


class Counting(asyncio.TaskGroup):
    def __init__(self):
        super().__init__()
        self.ended = []

    def _on_task_done(self, task):
        self.ended.append(task.get_name())
        super()._on_task_done(task)


class Tasks(set):
    def discard(self, task):
        print("discards", task.get_name())
        super().discard(task)


async def overridden():
    async with Counting() as group:
        for name in "abc":
            group.create_task(leaf(name), name=name)
    print(group.ended)
    async with asyncio.TaskGroup() as group:
        group._tasks = Tasks()
        for name in "de":
            group.create_task(leaf(name), name=name)
    own = asyncio.futures.future_discard_from_awaited_by if hasattr(asyncio.futures, "future_discard_from_awaited_by") else None
    if own:
        asyncio.futures.future_discard_from_awaited_by = lambda *parts: own(*parts)
    async with asyncio.TaskGroup() as group:
        group.create_task(leaf("f"))
    if own:
        asyncio.futures.future_discard_from_awaited_by = own
    old = asyncio.TaskGroup._on_task_done
    calls = []

    def replaced(self, task):
        calls.append(task.get_name())
        old(self, task)

    asyncio.TaskGroup._on_task_done = replaced
    async with asyncio.TaskGroup() as group:
        group.create_task(leaf("g"), name="g")
    asyncio.TaskGroup._on_task_done = old
    print(calls)

    class Wrapped(asyncio.Task):
        pass

    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coro, **kwargs: Wrapped(coro, loop=loop, **kwargs))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(leaf("h"))
    print(type(task).__name__, task.result())


async def contexts():
    async def sets(n):
        var.set(n)
        await asyncio.sleep(0)
        return var.get()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(sets(n)) for n in (1, 2, 3)]
    print([task.result() for task in tasks], var.get())


def traced():
    names = set()

    def profile(frame, event, argument):
        if event == "call" and frame.f_code.co_name == "_on_task_done":
            names.add(frame.f_code.co_name)

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(leaf(1, 2))

    sys.setprofile(profile)
    asyncio.run(main())
    sys.setprofile(None)
    print(names)


asyncio.run(plain(False))
asyncio.run(plain(True))
asyncio.run(overridden())
asyncio.run(contexts())
traced()
