"""time: struct_time, formats, zones, clocks and their errors."""
import os
import time


def shown(f, *args):
    try:
        print(repr(f(*args)))
    except Exception as e:
        print(f.__name__, type(e).__name__, e)


os.environ["TZ"] = "UTC+0"
time.tzset()
print(time.tzname, time.timezone, time.altzone, time.daylight)
os.environ["TZ"] = "EST+05EDT,M4.1.0,M10.5.0"
time.tzset()
print(time.tzname, time.timezone, time.altzone, time.daylight)
t = time.localtime(1_000_000_000)
print(t, t.tm_zone, t.tm_gmtoff, t[:3], t == time.localtime(1_000_000_000), len(t))
print(time.mktime(t), time.strftime("%Y-%m-%d %H:%M:%S %Z %z %a %b %j", t), time.asctime(t), time.ctime(0))
os.environ["TZ"] = "AEST-10AEDT-11,M10.5.0,M3.5.0"
time.tzset()
print(time.tzname, time.timezone, time.altzone, time.daylight)
for n in ("time", "monotonic", "perf_counter", "process_time", "thread_time", "x"):
    shown(time.get_clock_info, n)
for args in (
    (time.gmtime, 0), (time.gmtime, -1.5), (time.gmtime, 1e100), (time.gmtime, float("nan")), (time.gmtime, "x"), (time.localtime, 1 << 70),
    (time.asctime, (2000, 1, 1)), (time.asctime, (2000, 13, 1, 0, 0, 0, 0, 0, 0)), (time.asctime, (2000, 0, 0, 0, 0, 0, 0, 0, 0)),
    (time.asctime, 3), (time.asctime, (2**40, 1, 1, 0, 0, 0, 0, 0, 0)), (time.asctime, (2000, 1, 1, 25, 0, 0, 0, 0, 0)),
    (time.asctime, (2000, 1, 1, 0, 0, 0, -3, 0, 0)), (time.asctime, (12345, 1, 1, 0, 0, 0, 0, 366, 0)),
    (time.strftime, "", time.gmtime(0)), (time.strftime, "%", time.gmtime(0)), (time.strftime, "\ud800é%j", time.gmtime(0)), (time.strftime, 3),
    (time.mktime, (2000, 1, 1)), (time.mktime, "x"), (time.sleep, "x"), (time.sleep, -1), (time.sleep, 1e100), (time.sleep, float("nan")),
    (time.clock_gettime, 99), (time.struct_time, range(9)), (time.struct_time, range(11)), (time.struct_time, range(3)), (time.struct_time, 3),
    (time.strptime, "2001-02-03 04:05:06", "%Y-%m-%d %H:%M:%S"), (time.strptime, "x", "%Y"),
):
    shown(*args)
print(time.struct_time(range(9)).tm_zone, time.monotonic() <= time.monotonic(), time.time_ns() > 10**18, time.thread_time_ns() >= 0)
b = time.monotonic()
time.sleep(0.02)
print(0.02 <= time.monotonic() - b < 5, time.sleep(0), type(time.perf_counter()))
