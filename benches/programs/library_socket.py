"""Echoes over TCP on loopback, one at a time."""
import socket
import threading
import time


def serve(listener):
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(4096):
            connection.sendall(data)


def main(rounds):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        with socket.create_connection(listener.getsockname()) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            begin = time.perf_counter()
            for _ in range(rounds):
                client.sendall(b"x" * 100)
                client.recv(4096)
            spent = time.perf_counter() - begin
        server.join()
    print("us an echo", spent / rounds * 1e6)


main(3000)
