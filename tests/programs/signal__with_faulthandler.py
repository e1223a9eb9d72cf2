# A signal that faulthandler watches keeps its Python handler, as far as `signal` tells.
import faulthandler
import os
import signal
import tempfile


def handler(number, frame):
    print("handled", number == signal.SIGUSR1)


with tempfile.TemporaryFile() as file:
    faulthandler.register(signal.SIGUSR1, file=file, chain=True)
    print(signal.getsignal(signal.SIGUSR1))
    print(signal.signal(signal.SIGUSR1, handler))
    os.kill(os.getpid(), signal.SIGUSR1)
    print(signal.signal(signal.SIGUSR1, signal.SIG_IGN) is handler)
    faulthandler.unregister(signal.SIGUSR1)

    signal.signal(signal.SIGUSR2, handler)
    faulthandler.register(signal.SIGUSR2, file=file)
    print(signal.getsignal(signal.SIGUSR2) is handler)
    faulthandler.unregister(signal.SIGUSR2)
    print(signal.getsignal(signal.SIGUSR2) is handler)

    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    faulthandler.register(signal.SIGUSR2, file=file)
    print(signal.getsignal(signal.SIGUSR2))
    faulthandler.unregister(signal.SIGUSR2)
