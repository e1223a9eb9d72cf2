"""Handlers run in the main thread and end its waits; masks, timers, synchronous waits."""
import signal, os, time, _thread
def h(s,f): print("got", s, f.f_code.co_name)
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGTERM))
print(signal.signal(signal.SIGUSR1,h))
os.kill(os.getpid(), signal.SIGUSR1)
signal.raise_signal(signal.SIGUSR1)
signal.signal(signal.SIGALRM, lambda s,f: print("alarm"))
signal.setitimer(signal.ITIMER_REAL,0.2)
t=time.monotonic(); time.sleep(0.5); print(time.monotonic()-t>=0.5)
class E(Exception): pass
def r(s,f): raise E
signal.signal(signal.SIGALRM, r)
for what in ("sleep","lock","read","pause","spin"):
    signal.setitimer(signal.ITIMER_REAL,0.1)
    try:
        if what=="sleep": time.sleep(5)
        elif what=="lock":
            l=_thread.allocate_lock(); l.acquire(); l.acquire()
        elif what=="read":
            a,b=os.pipe(); os.read(a,1)
        elif what=="pause": signal.pause()
        else:
            while True: pass
    except E: print(what,"interrupted")
try:
    signal.raise_signal(signal.SIGINT); time.sleep(1)
except KeyboardInterrupt: print("KI")
print(signal.pthread_sigmask(signal.SIG_BLOCK,[signal.SIGUSR2]))
signal.raise_signal(signal.SIGUSR2)
print(signal.sigpending(), signal.sigwait([signal.SIGUSR2]))
print(signal.sigtimedwait([signal.SIGUSR2],0.01))
print(signal.strsignal(2), len(signal.valid_signals()), signal.SIGRTMIN)
for bad in [(0,h),(99,h),(signal.SIGKILL,h),(2,3)]:
    try: print(signal.signal(*bad))
    except Exception as e: print(type(e).__name__,e)
def inthread():
    try: signal.signal(2,h)
    except ValueError as e: print(e)
    os.kill(os.getpid(), signal.SIGUSR1)
x=_thread.start_joinable_thread(inthread); x.join()
try: signal.setitimer(99,1)
except signal.ItimerError as e: print(repr(e), signal.ItimerError)
print(signal.getitimer(0))
