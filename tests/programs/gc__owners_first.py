"""Finalizers of a program's classes run before those of the native objects that they own."""
import asyncio
import gc


async def main():
    loop = asyncio.get_running_loop()
    reported = []
    loop.set_exception_handler(lambda loop, context: reported.append(context["message"]))

    class Owner:
        def __init__(self, extra):
            self.me = self
            for i in range(extra):
                setattr(self, f"a{i}", i)
            self.future = loop.create_future()
            self.future.set_exception(ValueError("x"))

        def __del__(self):
            self.future.exception()

    for extra in range(40):
        Owner(extra)
    gc.collect()
    await asyncio.sleep(0)
    print(reported)


gc.disable()
asyncio.run(main())
