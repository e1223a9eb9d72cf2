"""asyncio: 1,000 clients at once against an echo server, without an error."""
import asyncio
import resource

CLIENTS, ROUNDS = 1000, 5


async def echo(reader, writer):
    while data := await reader.readline():
        writer.write(data)
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=CLIENTS)
    port = server.sockets[0].getsockname()[1]
    connected = asyncio.Barrier(CLIENTS)

    async def client(i):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await connected.wait()
        for k in range(ROUNDS):
            message = b"%d %d\n" % (i, k)
            writer.write(message)
            assert await reader.readline() == message
        writer.close()
        await writer.wait_closed()
        return ROUNDS

    results = await asyncio.gather(*(client(i) for i in range(CLIENTS)), return_exceptions=True)
    print(sum(r for r in results if isinstance(r, int)), {repr(r) for r in results if not isinstance(r, int)})
    server.close()
    await server.wait_closed()


soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
asyncio.run(main())
