# A match that would take for ever lets signals in, and so does a search.
import re
import signal


class Stop(Exception):
    pass


def stop(*args):
    raise Stop


signal.signal(signal.SIGALRM, stop)
for how in ("match", "search", "fullmatch"):
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        getattr(re.compile(r"(?:a|aa|a*)*b"), how)("a" * 60)
    except Stop:
        print("stopped", how)
print(re.match(r"(?:a|aa)*b", "aaab"))
