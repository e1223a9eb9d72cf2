# The classes of _asyncio: states, callbacks, cancellation, errors, awaiting, names, subclasses, eager tasks, what is current.
import asyncio
import contextvars
import gc


def show(f, *args, **kwargs):
    try:
        print(f(*args, **kwargs))
    except BaseException as error:
        print(type(error).__name__, error)


async def futures():
    loop = asyncio.get_running_loop()
    f = loop.create_future()
    print(f, f.done(), f.cancelled(), f.get_loop() is loop, f._callbacks, f._asyncio_future_blocking)
    show(f.result)
    show(f.exception)
    seen = []
    var = contextvars.ContextVar("var", default=0)
    f.add_done_callback(lambda g: seen.append((g is f, var.get())))
    ctx = contextvars.copy_context()
    ctx.run(var.set, 5)
    f.add_done_callback(lambda g: seen.append((g.result(), var.get())), context=ctx)
    removed = print
    f.add_done_callback(removed)
    f.add_done_callback(removed)
    print(f.remove_done_callback(removed), f.remove_done_callback(removed), len(f._callbacks))
    f.set_result(42)
    print(f, seen, f.result(), f.exception(), await f)
    await asyncio.sleep(0)
    print(seen)
    f.add_done_callback(lambda g: seen.append("late"))
    await asyncio.sleep(0)
    print(seen[-1])
    show(lambda: f.set_result(1))
    show(lambda: f.set_exception(ValueError()))
    print(f.cancel(), f._state)

    f = loop.create_future()
    show(f.set_exception, "text")
    show(f.set_exception, int)
    f.set_exception(ZeroDivisionError("zero"))
    show(f.result)
    print(repr(f.exception()), f._log_traceback)
    show(setattr, f, "_log_traceback", True)
    f = loop.create_future()
    f.set_exception(StopIteration("x"))
    try:
        await f
    except RuntimeError as error:
        print(error, repr(error.__cause__))

    f = loop.create_future()
    print(f.cancel("why"), f.cancelled(), f.done(), f._cancel_message, f.cancel())
    show(f.result)
    show(f.exception)
    show(asyncio.Future.__new__(asyncio.Future).result)
    f = loop.create_future()
    it = iter(f)
    print(next(it) is f, f._asyncio_future_blocking)
    show(next, it)
    f.set_result((1, 2))
    try:
        next(it)
    except StopIteration as stop:
        print(stop.value)
    show(next, it)
    it = f.__await__()
    show(it.throw, KeyError("thrown"))
    it.close()

    class Sub(asyncio.Future):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.extra = 1

    f = Sub(loop=loop)
    loop.call_soon(f.set_result, "sub")
    print(await f, f.extra, isinstance(f, asyncio.Future), asyncio.isfuture(f), type(f).__name__)
    print(asyncio.Future[int])


async def tasks():
    loop = asyncio.get_running_loop()

    async def value(x, delay=0):
        await asyncio.sleep(delay)
        return x

    async def fail():
        raise LookupError("failed")

    t = asyncio.create_task(value(1), name="named")
    print(t.get_name(), t.done(), t.cancelling(), t.get_coro().__name__, asyncio.current_task() is t, t in asyncio.all_tasks(), len(asyncio.all_tasks()))
    print(await t, t.done(), t.result(), t in asyncio.all_tasks())
    t.set_name(12)
    print(t.get_name(), asyncio.create_task(value(0)).get_name().startswith("Task-"))
    show(t.set_result, 1)
    show(t.set_exception, 1)
    show(asyncio.Task, 5)
    t = asyncio.create_task(fail())
    try:
        await t
    except LookupError as error:
        print(error, t.exception() is error, len(t.get_stack()))

    async def stubborn():
        caught = 0
        while caught < 2:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError as error:
                caught += 1
                print("caught", error.args, asyncio.current_task().cancelling(), asyncio.current_task().uncancel())
        return "survived"

    t = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    print(t.cancel("one"))
    await asyncio.sleep(0)
    print(t.cancel("two"), await t, t.cancelled())

    t = asyncio.create_task(value(1, 10))
    await asyncio.sleep(0)
    t.cancel("message")
    try:
        await t
    except asyncio.CancelledError as error:
        print(error.args, t.cancelled(), t.done())
    t = asyncio.create_task(value(1))
    t.cancel()
    print(await asyncio.gather(t, value(2), fail(), return_exceptions=True))

    inner = asyncio.create_task(value("inner", 0.2))
    outer = asyncio.create_task(asyncio.wait_for(asyncio.shield(inner), 0.001))
    try:
        await outer
    except TimeoutError:
        print("timeout", inner.done())
    print(await inner)

    class Yields:
        def __init__(self, what):
            self.what = what

        def __await__(self):
            return (yield self.what)

    async def bad(what):
        await Yields(what)

    for what in (5, loop.create_future(), (x for x in ())):
        try:
            await asyncio.create_task(bad(what))
        except RuntimeError as error:
            print(str(error).split(" in task ")[0].split("<")[0])

    async def itself():
        await asyncio.current_task()

    try:
        await asyncio.create_task(itself())
    except RuntimeError as error:
        print(str(error)[:27])
    other = asyncio.new_event_loop()
    try:
        await other.create_future()
    except RuntimeError as error:
        print(str(error)[-30:])
    other.close()

    async with asyncio.TaskGroup() as group:
        results = [group.create_task(value(i)) for i in range(3)]
    print([task.result() for task in results])
    try:
        async with asyncio.timeout(0.001):
            await asyncio.sleep(10)
    except TimeoutError:
        print("timed out", asyncio.current_task().cancelling())

    order = []

    async def eager(n, waits):
        order.append((n, asyncio.current_task() is not None))
        if waits:
            await asyncio.sleep(0)
        order.append(n)
        return n

    loop.set_task_factory(asyncio.eager_task_factory)
    a, b = loop.create_task(eager(1, False), name="a"), loop.create_task(eager(2, True), name="b")
    print(order, a.done(), b.done(), asyncio.current_task().get_name() == "main", b in asyncio.all_tasks())
    print(await b, order)
    loop.set_task_factory(None)

    class Own(asyncio.Task):
        pass

    t = Own(value("own"), loop=loop, name="own task")
    print(await t, t.get_name(), type(t).__name__, asyncio.Task[int])
    queue = asyncio.Queue(2)

    async def produce():
        for i in range(6):
            await queue.put(i)

    producer = asyncio.create_task(produce())
    print([await queue.get() for _ in range(6)], await producer)


async def lost():
    loop = asyncio.get_running_loop()
    reports = []
    loop.set_exception_handler(lambda loop, context: reports.append((context["message"], type(context.get("exception")).__name__)))
    f = loop.create_future()
    f.set_exception(OSError("nobody asks"))
    del f
    gc.collect()

    async def fail():
        raise KeyError("nobody asks")

    t = asyncio.create_task(fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del t
    gc.collect()
    t = asyncio.create_task(asyncio.sleep(1000))
    t._log_destroy_pending = False
    print(reports)


show(asyncio.get_running_loop)
show(asyncio.current_task)
for main in (futures, tasks, lost):
    async def named():
        asyncio.current_task().set_name("main")
        await main()
    asyncio.run(named())


async def interrupted():
    raise KeyboardInterrupt


show(asyncio.run, interrupted())
