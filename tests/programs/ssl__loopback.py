"""TLS between a server and a client: certificates that verify and that do not, names, callbacks, streams, asyncio."""

import asyncio
import os
import socket
import ssl
import tempfile
import threading

# A certificate authority of these tests alone, and what it signed: valid to 2120, for localhost and *.lisle.test.
CA = """\
-----BEGIN CERTIFICATE-----
MIIBvTCCAWKgAwIBAgIUObp8ubB9riIcYp5fX12QYDuxvGQwCgYIKoZIzj0EAwIw
OzELMAkGA1UEBhMCREUxFDASBgNVBAoMC0xpc2xlIHRlc3RzMRYwFAYDVQQDDA1M
aXNsZSB0ZXN0IENBMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjA7
MQswCQYDVQQGEwJERTEUMBIGA1UECgwLTGlzbGUgdGVzdHMxFjAUBgNVBAMMDUxp
c2xlIHRlc3QgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR+cbfp0t6x4EEw
UQxRIkAS0nKf+3WWRlzznqHp2wJyCWaaGcuyV57wgLM/JtND/qUXeDuB2HSva2eB
WTJl1UDEo0IwQDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAdBgNV
HQ4EFgQUnbRy2iBDHe5BCl6SPDzezj9XU/kwCgYIKoZIzj0EAwIDSQAwRgIhAL7I
wFOg0pk06zfOnOArxAw490/v1P8q/McX3fYxS2TyAiEAyJN9aivju6pzFYf8M1eo
I/tL5CL+Na3HolxBIZ3a1dc=
-----END CERTIFICATE-----
"""
SERVER = """\
-----BEGIN CERTIFICATE-----
MIICPDCCAeKgAwIBAgIUd3eljf15J5OgtOS8Jud8p3GeRKswCgYIKoZIzj0EAwIw
OzELMAkGA1UEBhMCREUxFDASBgNVBAoMC0xpc2xlIHRlc3RzMRYwFAYDVQQDDA1M
aXNsZSB0ZXN0IENBMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAn
MRQwEgYDVQQKDAtMaXNsZSB0ZXN0czEPMA0GA1UEAwwGc2VydmVyMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEUUS4/zEEnbS1Ig7jOVp9+Ep1bfBi2bk+Ag657QQY
J8n0BKJP6NKkuVDs1R0LZPMLCmELtu9pWgxkMNjwohFYAaOB1TCB0jAMBgNVHRMB
Af8EAjAAMA4GA1UdDwEB/wQEAwIHgDATBgNVHSUEDDAKBggrBgEFBQcDATAdBgNV
HQ4EFgQUVbRwoU//IYb0TidxZtWjgbJ5RtcwHwYDVR0jBBgwFoAUnbRy2iBDHe5B
Cl6SPDzezj9XU/kwXQYDVR0RBFYwVIIJbG9jYWxob3N0ggwqLmxpc2xlLnRlc3SH
BH8AAAGBDGFAbGlzbGUudGVzdIYTaHR0cHM6Ly9saXNsZS50ZXN0L4cQIAENuAAA
AAAAAAAAAAAAATAKBggqhkjOPQQDAgNIADBFAiEA0T1qcdr/I+i2LtYfOK9s9KSa
TGBKQQAettRSJnwm5s4CIHbjUdd3A1qFj1LxUuzf2loqoevQuQBgxKPjYgKWmYFQ
-----END CERTIFICATE-----
"""
SERVER_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLXEFjAcrsxjTlCbL
t2Kwt9eiSE7YJQeP4wl5yz2gI2+hRANCAARRRLj/MQSdtLUiDuM5Wn34SnVt8GLZ
uT4CDrntBBgnyfQEok/o0qS5UOzVHQtk8wsKYQu272laDGQw2PCiEVgB
-----END PRIVATE KEY-----
"""
ENCRYPTED_KEY = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj41JGlHyL/jAICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEFS8Q4s1yU6PoePukz1vz84EgZDL
NuCBEaSWClnnyuo8U/QUlTIm0dhKZWG0AMzQwj+EIENKWt1PtlriMqM0u8kz1X2C
en43G0LFsqVmhWqm2/MIJ8M1EBbZBq2JzNIyc3hTCcQOfBGvhKnZrv/euHxKVyQj
3uQnRWf2ZL87L1+RTfQ6WGOy9rvkdq6uH/fX6aeRPksFgpYFdzGlswxfioCswSA=
-----END ENCRYPTED PRIVATE KEY-----
"""
CLIENT = """\
-----BEGIN CERTIFICATE-----
MIIB2jCCAYGgAwIBAgIUCz2Xn6O4C1+hZi5XGpe2ACjKy94wCgYIKoZIzj0EAwIw
OzELMAkGA1UEBhMCREUxFDASBgNVBAoMC0xpc2xlIHRlc3RzMRYwFAYDVQQDDA1M
aXNsZSB0ZXN0IENBMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAn
MRQwEgYDVQQKDAtMaXNsZSB0ZXN0czEPMA0GA1UEAwwGY2xpZW50MFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAE42Bf9nhC+FRggXZ8vrdSHKowdXhbibdOI0IgqjdX
cURguTvta4XQqlE41Y1JjGL/kSd0dUFQYvJ8o+XoeaBtlKN1MHMwDAYDVR0TAQH/
BAIwADAOBgNVHQ8BAf8EBAMCB4AwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0O
BBYEFC5crxrg1qMBGBkVUUr3ltLtNb0sMB8GA1UdIwQYMBaAFJ20ctogQx3uQQpe
kjw83s4/V1P5MAoGCCqGSM49BAMCA0cAMEQCICt7dU6h2ako3ZyypnyEEAvWbrrH
uJ4uYtir52iCWTPxAiAyyh5lCoAIwGQJA+KKYn3SslhaSBbsTmDUdRyLPmZ7FQ==
-----END CERTIFICATE-----
"""
CLIENT_KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgD/BdFmOfsjOKBK/S
i6hSXodY63DAcPgKXoJD+9Se+lOhRANCAATjYF/2eEL4VGCBdny+t1IcqjB1eFuJ
t04jQiCqN1dxRGC5O+1rhdCqUTjVjUmMYv+RJ3R1QVBi8nyj5eh5oG2U
-----END PRIVATE KEY-----
"""
EXPIRED = """\
-----BEGIN CERTIFICATE-----
MIICOjCCAeCgAwIBAgIUWy7glHbpFmMahLW1toc9STpoRuIwCgYIKoZIzj0EAwIw
OzELMAkGA1UEBhMCREUxFDASBgNVBAoMC0xpc2xlIHRlc3RzMRYwFAYDVQQDDA1M
aXNsZSB0ZXN0IENBMB4XDTIwMDEwMTAwMDAwMFoXDTIxMDEwMTAwMDAwMFowJzEU
MBIGA1UECgwLTGlzbGUgdGVzdHMxDzANBgNVBAMMBnNlcnZlcjBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABFFEuP8xBJ20tSIO4zlaffhKdW3wYtm5PgIOue0EGCfJ
9ASiT+jSpLlQ7NUdC2TzCwphC7bvaVoMZDDY8KIRWAGjgdUwgdIwDAYDVR0TAQH/
BAIwADAOBgNVHQ8BAf8EBAMCB4AwEwYDVR0lBAwwCgYIKwYBBQUHAwEwHQYDVR0O
BBYEFFW0cKFP/yGG9E4ncWbVo4GyeUbXMB8GA1UdIwQYMBaAFJ20ctogQx3uQQpe
kjw83s4/V1P5MF0GA1UdEQRWMFSCCWxvY2FsaG9zdIIMKi5saXNsZS50ZXN0hwR/
AAABgQxhQGxpc2xlLnRlc3SGE2h0dHBzOi8vbGlzbGUudGVzdC+HECABDbgAAAAA
AAAAAAAAAAEwCgYIKoZIzj0EAwIDSAAwRQIgEd+b9HL9LRGhfeHifvi9AILv+4nl
qqseEJrwVvdZcqkCIQDHTL3qW3DdgdwboQ61J6QKF6g3QDzkLKjzwkYmZDj9dg==
-----END CERTIFICATE-----
"""

folder = tempfile.TemporaryDirectory()


def file(text):
    path = os.path.join(folder.name, str(len(os.listdir(folder.name))) + ".pem")
    with open(path, "w") as f:
        f.write(text)
    return path


def server_context(cert=SERVER, key=SERVER_KEY, **options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file(cert), file(key), **options)
    return context


def client_context():
    return ssl.create_default_context(cadata=CA)


def run(server, client, talk, hostname="localhost", serve=None):
    """One connection; what the client's function returns or raises, and what the server's thread raised."""
    listener = socket.create_server(("127.0.0.1", 0))
    problems = []

    def answer():
        try:
            raw, _ = listener.accept()
            with server.wrap_socket(raw, server_side=True) as tls:
                if serve is not None:
                    serve(tls)
                    return
                while data := tls.recv(70000):
                    tls.sendall(data.upper())
        except ConnectionError:
            pass  # The client has left without reading the tickets.
        except OSError as e:
            problems.append(type(e).__name__)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        with socket.create_connection(listener.getsockname(), timeout=30) as raw:
            with client.wrap_socket(raw, server_hostname=hostname) as tls:
                result = talk(tls)
    except ssl.SSLCertVerificationError as e:
        result = ("unverified", e.verify_code, e.verify_message, e.reason, isinstance(e, ValueError))
    except ssl.SSLError as e:
        result = (type(e).__name__, e.reason)
    except ConnectionError:
        result = "connection lost"
    thread.join(30)
    listener.close()
    return result, problems


def echo(tls):
    tls.sendall(b"hello")
    return tls.recv(100), tls.version(), tls.cipher()[1], tls.server_side


print("echo", run(server_context(), client_context(), echo))
print("address", run(server_context(), client_context(), echo, "127.0.0.1"))
print("wildcard", run(server_context(), client_context(), echo, "www.lisle.test"))

# The certificate as the client sees it.
result, _ = run(server_context(), client_context(), lambda tls: (tls.getpeercert(), tls.getpeercert(True)))
for item in sorted(result[0].items()):
    print(item)
print(result[1] == ssl.PEM_cert_to_DER_cert(SERVER), ssl.DER_cert_to_PEM_cert(result[1]) == SERVER)
print(ssl.cert_time_to_seconds(result[0]["notAfter"]))

# Certificates that do not verify.
for name in ("lisle.test", "a.b.lisle.test", "example.org", "127.0.0.2"):
    result, _ = run(server_context(), client_context(), echo, name)
    print(name, result)
strict = ssl.create_default_context(cadata=CLIENT)
print("unknown", run(server_context(), strict, echo)[0])
print("expired", run(server_context(EXPIRED), client_context(), echo)[0])
unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
unchecked.check_hostname = False
unchecked.verify_mode = ssl.CERT_NONE
print("unchecked", run(server_context(EXPIRED), unchecked, lambda tls: (tls.getpeercert(), tls.version()), "any.name"))
unnamed = client_context()
unnamed.check_hostname = False
print("unnamed", run(server_context(), unnamed, echo, None))

# The version below.
old = client_context()
old.maximum_version = ssl.TLSVersion.TLSv1_2
print("1.2", run(server_context(), old, echo))
new = server_context()
new.minimum_version = ssl.TLSVersion.TLSv1_3
print("too old", run(new, old, echo)[0][0])

# A key with a password.
for password in ("secret", b"secret", bytearray(b"secret"), lambda: "secret"):
    print("password", run(server_context(key=ENCRYPTED_KEY, password=password), client_context(), echo)[0][0])
for password in ("wrong", lambda: 1 / 0, lambda: 5, 5, "x" * 2000):
    try:
        server_context(key=ENCRYPTED_KEY, password=password)
    except (ssl.SSLError, TypeError, ValueError, ZeroDivisionError) as e:
        print("no password", type(e).__name__, "" if isinstance(e, ssl.SSLError) else e)
try:
    server_context(key=CLIENT_KEY)
except ssl.SSLError as e:
    print(e.library, e.reason, "key values mismatch" in str(e))

# Both sides show certificates.
mutual = server_context()
mutual.verify_mode = ssl.CERT_REQUIRED
mutual.load_verify_locations(file(CA))
seen = []


def look(tls):
    seen.append(tls.getpeercert()["subject"])
    tls.sendall(b"seen")


shown = client_context()
shown.load_cert_chain(file(CLIENT), file(CLIENT_KEY))
print("mutual", run(mutual, shown, lambda tls: tls.recv(10), serve=look), seen)
print("not shown", run(mutual, client_context(), lambda tls: tls.recv(10), serve=look)[1])
print(mutual.cert_store_stats(), [c["subject"] for c in mutual.get_ca_certs()])

# Protocols of the application, and names of servers.
alpn = server_context()
alpn.set_alpn_protocols(["h2", "http/1.1"])
wanted = client_context()
wanted.set_alpn_protocols(["x", "http/1.1"])
print("alpn", run(alpn, wanted, lambda tls: tls.selected_alpn_protocol()))
print("no alpn", run(alpn, client_context(), lambda tls: tls.selected_alpn_protocol()))
names = []
named, other = server_context(EXPIRED), server_context()


def choose(tls, name, context):
    names.append((name, context is named, type(tls).__name__))
    if name == "refused.lisle.test":
        return ssl.ALERT_DESCRIPTION_ACCESS_DENIED
    tls.context = other


named.sni_callback = choose
print("sni", run(named, client_context(), echo, "www.lisle.test"), names)
print("sni refused", run(named, client_context(), echo, "refused.lisle.test")[0])

# Much data.
block = bytes(range(256)) * 4096


def much(tls):
    tls.sendall(block)
    got = bytearray()
    while len(got) < len(block):
        got += tls.recv(100000)
    return bytes(got) == block.upper()


def serve_much(tls):
    got = bytearray()
    while len(got) < len(block):
        got += tls.recv(100000)
    tls.sendall(got.upper())


print("much", run(server_context(), client_context(), much, serve=serve_much))


def into(tls):
    tls.sendall(b"abcdef")
    buffer = bytearray(10)
    n = tls.recv_into(buffer, 4)
    return n, bytes(buffer), tls.pending(), tls.recv(10)


print("into", run(server_context(), client_context(), into))


# The end of the connection: in order, and what follows is plain.
def ends(tls):
    raw = tls.unwrap()
    raw.sendall(b"plain")
    return raw.recv(10), type(raw).__name__


def serve_end(tls):
    assert tls.recv(10) == b""
    raw = tls.unwrap()
    raw.sendall(raw.recv(10).upper())


print("unwrap", run(server_context(), client_context(), ends, serve=serve_end))


def late(tls):
    tls.settimeout(0.05)
    try:
        tls.recv(10)
    except TimeoutError as e:
        message = str(e)
    tls.setblocking(False)
    try:
        tls.recv(10)
    except ssl.SSLWantReadError as e:
        return message, e.errno, isinstance(e, BlockingIOError)


print("late", run(server_context(), client_context(), late))

# A server that does not speak TLS, and one that hangs up.
for words in (b"HTTP/1.0 200 OK\r\n\r\n", b""):
    listener = socket.create_server(("127.0.0.1", 0))

    def plain():
        conn, _ = listener.accept()
        with conn:
            conn.recv(1000)
            conn.sendall(words)

    thread = threading.Thread(target=plain)
    thread.start()
    try:
        with socket.create_connection(listener.getsockname()) as raw:
            client_context().wrap_socket(raw, server_hostname="localhost")
    except ssl.SSLError as e:
        print("no TLS", type(e).__name__, e.reason)
    thread.join()
    listener.close()

# Through memory, step by step.
c_in, c_out, s_in, s_out = (ssl.MemoryBIO() for _ in range(4))
client = client_context().wrap_bio(c_in, c_out, server_hostname="localhost")
server = server_context().wrap_bio(s_in, s_out, server_side=True)
print(client.version(), client.cipher(), client.server_hostname)
done = set()
for _ in range(10):
    for side in (client, server):
        try:
            side.do_handshake()
            done.add(side)
        except ssl.SSLWantReadError:
            pass
        s_in.write(c_out.read())
        c_in.write(s_out.read())
print("memory", len(done), client.version(), client.getpeercert()["subject"], server.getpeercert())
print(client.write(b"x" * 40000))
s_in.write(c_out.read())
total = 0
while total < 40000:
    total += len(server.read(5000))
try:
    server.read(1)
except ssl.SSLWantReadError as e:
    print(total, e.args[0], str(e)[:37])
c_in.write_eof()
try:
    client.read(1)
except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as e:
    print(type(e).__name__)
try:
    c_in.write(b"more")
except ssl.SSLError as e:
    print(e, c_in.eof, c_in.pending)


# asyncio.
async def handle(reader, writer):
    while data := await reader.read(100000):
        writer.write(data.upper())
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=server_context())
    port = server.sockets[0].getsockname()[1]

    async def one(n):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_context(), server_hostname="localhost")
        text = b"%d text " % n * 20000
        writer.write(text)
        got = await reader.readexactly(len(text))
        writer.close()
        await writer.wait_closed()
        return got == text.upper()

    print("asyncio", await asyncio.gather(*(one(n) for n in range(5))))
    try:
        await asyncio.open_connection("127.0.0.1", port, ssl=client_context(), server_hostname="example.org")
    except ssl.SSLCertVerificationError as e:
        print("asyncio", e.verify_code)
    server.close()


asyncio.run(main())

# Contexts and their attributes.
context = ssl.create_default_context()
print(context.verify_mode, context.check_hostname, context.minimum_version, context.maximum_version)
for change in (
    lambda: setattr(context, "verify_mode", ssl.CERT_NONE),
    lambda: setattr(context, "verify_mode", 7),
    lambda: context.wrap_bio(c_in, c_out),
    lambda: context.wrap_bio(c_in, c_out, server_hostname=""),
    lambda: context.load_verify_locations(),
    lambda: context.load_verify_locations(cadata=""),
    lambda: context.load_verify_locations(cadata="nothing"),
    lambda: context.load_verify_locations("/does/not/exist"),
    lambda: context.load_cert_chain("/does/not/exist"),
    lambda: context.set_ciphers("NOTHING"),
    lambda: ssl.MemoryBIO().write(5),
    lambda: ssl.SSLSocket(),
    lambda: ssl.SSLContext(-1),
):
    try:
        change()
        print("fine")
    except (ValueError, TypeError, OSError) as e:
        print(type(e).__name__, "" if isinstance(e, ValueError) and "hostname" in str(e) else str(e).split(" (_ssl")[0])
print(ssl.Purpose.SERVER_AUTH, ssl.RAND_status(), len(ssl.RAND_bytes(20)))


def in_memory(client, server):
    """A handshake without sockets."""
    first, second = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(first, second, server_hostname="localhost"),
        server.wrap_bio(second, first, server_side=True),
    ]
    open_ends = list(ends)
    for _ in range(10):
        for end in list(open_ends):
            try:
                end.do_handshake()
                open_ends.remove(end)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                return "no handshake", None, None
    return "done", *ends


# Asking for a certificate later.
client, server = client_context(), server_context()
print(client.post_handshake_auth, server.post_handshake_auth)
server.post_handshake_auth = True
print(server.post_handshake_auth)
for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    server.maximum_version = version
    _, near, far = in_memory(client, server)
    for end in (near, far):
        try:
            print(end.verify_client_post_handshake())
        except ssl.SSLError as e:
            print(e.reason)
# Curves that do not meet.
for curve in ("prime256v1", "secp384r1"):
    client, server = client_context(), server_context()
    client.set_ecdh_curve("prime256v1")
    server.set_ecdh_curve(curve)
    print(curve, in_memory(client, server)[0])
# A log of keys begins with a comment.
client, server = client_context(), server_context()
client.keylog_filename = log = os.path.join(folder.name, "keys")
print(in_memory(client, server)[0], sorted({line.split()[0] for line in open(log)}))
try:
    ssl.SSLError.new = 1
except TypeError as e:
    print(e)
# One call takes everything: without sockets, and on sockets that wait.
_, near, far = in_memory(client_context(), server_context())
large = bytes(range(256)) * 12345
for data in (large, bytearray(large)):
    print(near.write(data) == len(large))
    got = bytearray()
    while len(got) < len(large):
        got += far.read(1 << 20)
    print(got == large)


def send_at_once(tls):
    sent = tls.send(large), tls.send(bytearray(large))
    return sent == (len(large),) * 2, tls.recv(10)


def receive_twice(tls):
    got = 0
    while got < 2 * len(large):
        got += len(tls.recv(100000))
    tls.send(b"got all")


print(run(server_context(), client_context(), send_at_once, serve=receive_twice))
folder.cleanup()
