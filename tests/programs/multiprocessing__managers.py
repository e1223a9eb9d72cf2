"""multiprocessing.managers over TCP between two programs, with a key."""
import subprocess
import sys
from multiprocessing import AuthenticationError
from multiprocessing.managers import BaseManager


class Counter:
    def __init__(self):
        self.n = 0

    def add(self, k):
        self.n += k
        return self.n

    def fail(self):
        raise LookupError("on the server")


COUNTER = Counter()


class ServerManager(BaseManager):
    pass


ServerManager.register("counter", callable=lambda: COUNTER)


class ClientManager(BaseManager):
    pass


ClientManager.register("counter")


def serve():
    server = ServerManager(("127.0.0.1", 0), authkey=b"secret").get_server()
    print(server.address[1], flush=True)
    server.serve_forever()


def main():
    server = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    try:
        address = ("127.0.0.1", int(server.stdout.readline()))
        client = ClientManager(address, authkey=b"secret")
        client.connect()
        counter = client.counter()
        print([counter.add(i) for i in range(5)])
        again = client.counter()
        print(again.add(10))
        try:
            counter.fail()
        except LookupError as e:
            print("LookupError", e)
        try:
            ClientManager(address, authkey=b"wrong").connect()
        except AuthenticationError as e:
            print("AuthenticationError", e)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        main()
