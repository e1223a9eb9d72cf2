# What futures and tasks ask of a loop goes through the loop's methods, whoever overrides them.
import asyncio
import asyncio.base_events
import asyncio.events
import contextvars
import sys

log = []


async def three():
    await asyncio.sleep(0)
    return 3


async def work():
    return await asyncio.gather(three(), three())


def run_on(loop, coro=None):
    log.clear()
    try:
        return loop.run_until_complete(coro or work())
    finally:
        loop.close()


class Counting(asyncio.SelectorEventLoop):
    def call_soon(self, callback, *args, context=None):
        log.append(type(callback).__name__)
        return super().call_soon(callback, *args, context=context)


class Inner(asyncio.SelectorEventLoop):
    def _call_soon(self, callback, args, context):
        log.append(len(args))
        return super()._call_soon(callback, args, context)


class Debugging(asyncio.SelectorEventLoop):
    def get_debug(self):
        log.append("debug")
        return False


print(run_on(asyncio.SelectorEventLoop()))
print(run_on(Counting()), len(log) > 6)
print(run_on(Inner()), sorted(set(log)))
print(run_on(Debugging()), len(log) > 4)

# In the instance.
loop = asyncio.SelectorEventLoop()
plain = loop.call_soon
loop.call_soon = lambda callback, *args, context=None: (log.append("instance"), plain(callback, *args, context=context))[1]
print(run_on(loop), set(log))

# In the class, after it was used.
kept = asyncio.base_events.BaseEventLoop.call_soon


def patched(self, callback, *args, context=None):
    log.append("patched")
    return kept(self, callback, *args, context=context)


asyncio.base_events.BaseEventLoop.call_soon = patched
print(run_on(asyncio.SelectorEventLoop()), set(log))
asyncio.base_events.BaseEventLoop.call_soon = kept
print(run_on(asyncio.SelectorEventLoop()), set(log))

# The code of a function.
code = kept.__code__
kept.__code__ = (lambda self, callback, *args, context=None: (print("code"), self._call_soon(callback, args, context))[1]).__code__
print(run_on(asyncio.SelectorEventLoop(), three()), set(log))
kept.__code__ = code

# Handles of another class, and of the same with another __init__.
handle = asyncio.events.Handle


class Mine(handle):
    def __init__(self, *args, **kwargs):
        log.append("handle")
        super().__init__(*args, **kwargs)


asyncio.events.Handle = Mine
print(run_on(asyncio.SelectorEventLoop()), set(log))
asyncio.events.Handle = handle
init = handle.__init__


def other_init(self, *args):
    log.append("init")
    init(self, *args)


handle.__init__ = other_init
print(run_on(asyncio.SelectorEventLoop()), set(log))
handle.__init__ = init
print(run_on(asyncio.SelectorEventLoop()), set(log))

# Handles as a program sees them.
loop = asyncio.SelectorEventLoop()


async def look():
    future = loop.create_future()
    context = contextvars.copy_context()
    future.add_done_callback(print, context=context)
    future.set_result(1)
    (made,) = [h for h in loop._ready if h._callback is print]
    print(type(made) is asyncio.Handle, made._args == (future,), made._loop is loop, made.get_context() is context)
    print(made.cancelled(), made._repr, made._source_traceback, repr(made).startswith("<Handle print"))
    made.cancel()
    print(made.cancelled(), made._callback, made._args)
    await asyncio.sleep(0)
    return "looked"


print(run_on(loop, look()))

# A closed loop, and one that debugs.
loop = asyncio.SelectorEventLoop()
future = loop.create_future()
future.add_done_callback(print)
loop.close()
try:
    future.set_result(None)
except RuntimeError as error:
    print(error)

loop = asyncio.SelectorEventLoop()
loop.set_debug(True)
future = loop.create_future()
print(bool(future._source_traceback))
future.add_done_callback(lambda f: None)
future.set_result(None)
print(bool(loop._ready[-1]._source_traceback))
loop.run_until_complete(asyncio.sleep(0))
loop.close()

# Who traces calls sees those of the loop.
seen = set()


def tracer(frame, event, arg):
    seen.add(frame.f_code.co_qualname)


async def traced():
    sys.setprofile(tracer)
    future = asyncio.get_running_loop().create_future()
    future.add_done_callback(lambda f: None)
    future.set_result(None)
    sys.setprofile(None)


run_on(asyncio.SelectorEventLoop(), traced())
print({"BaseEventLoop.call_soon", "BaseEventLoop._call_soon", "Handle.__init__"} <= seen)


# Tasks are listed until they are done, also those that begin at once.
async def waits(event):
    await event.wait()


async def listed():
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    one = loop.create_task(waits(event))
    loop.set_task_factory(asyncio.eager_task_factory)
    two = loop.create_task(waits(event))
    three = loop.create_task(asyncio.sleep(0, "at once"))

    async def looks():
        tasks = asyncio.all_tasks()
        return len(tasks), asyncio.current_task() in tasks

    print(await loop.create_task(looks()))
    print(asyncio.all_tasks() == {asyncio.current_task(), one, two, three})
    await three
    one.cancel()
    event.set()
    await asyncio.wait([one, two])
    print(asyncio.all_tasks() == {asyncio.current_task()})
    loop.create_task(waits(asyncio.Event()))
    print(len(asyncio.all_tasks()))


asyncio.run(listed())
