class StopLoop(Exception): pass
def run(coro):
    try:
        while True:
            coro.send(None)
    except StopIteration as e:
        return e.value
class Aw:
    def __init__(self, v): self.v = v
    def __await__(self):
        r = yield self.v
        return r
async def agen(n):
    try:
        for i in range(n):
            await Aw(i)
            got = yield i * 10
            if got: print('got', got)
    finally:
        await Aw('fin')
        print('cleanup')
async def main():
    out = []
    async for x in agen(3): out.append(x)
    print(out, [y async for y in agen(2)], {y: 1 async for y in agen(2)})
    g = agen(5)
    print(await g.asend(None), await g.asend('hi'))
    try: await g.athrow(ValueError('boo'))
    except ValueError as e: print('VE', e)
    print(await anext(g, 'dflt'))
    g = agen(3)
    await anext(g)
    await g.aclose()
    try: await anext(g)
    except StopAsyncIteration as e: print('SAI', e)
    return 5
print(run(main()))
async def ignoring():
    try: yield 1
    except GeneratorExit: yield 2
async def m2():
    g = ignoring(); await anext(g)
    try: await g.aclose()
    except RuntimeError as e: print(e)
run(m2())
g = agen(1)
print(g.ag_running, g.ag_suspended, g.ag_await, g.ag_code.co_name, g.__name__)
a = g.asend(None); a.send(None)
try: g.asend(None).send(None)
except BaseException as e: print(type(e).__name__, e)
try: g.aclose().send(None)
except BaseException as e: print(type(e).__name__, e)
print(g.ag_running, g.ag_await is not None)
try: a.close()
except BaseException as e: print(type(e).__name__, e)
try: a.send(None)
except BaseException as e: print(type(e).__name__, e)
async def rs():
    yield 1
    raise StopAsyncIteration
async def m3():
    try:
        async for x in rs(): pass
    except RuntimeError as e: print(e, type(e.__cause__))
    try:
        async for x in 5: pass
    except TypeError as e: print(e)
    async def c(): return 3
    x = c()
    print(await x)
    try: await x
    except RuntimeError as e: print(e)
run(m3())
def gen():
    try: yield 1
    except ValueError as e:
        import_ok = 1
        yield 2
    yield 3
g = gen(); next(g)
print(g.throw(ValueError), next(g))
def f():
    try: raise KeyError('a')
    except KeyError:
        yield
    yield sysx()
def sysx(): return 1
g=f(); next(g)
try: raise ValueError
except ValueError:
    next(g)
    try:
        raise
    except ValueError: print('ok reraise')
def inner():
    try:
        yield 1
    except GeneratorExit:
        print('inner closed'); raise
def outer():
    r = yield from inner()
g = outer(); next(g); g.close()
