# datetime: construction, arithmetic, formats, zones, subclasses, pickles, limits.
import copy
import pickle
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta, timezone, tzinfo


def show(f):
    try:
        print(repr(f()))
    except Exception as error:
        print(type(error).__name__)


for args in ({}, {"days": 1.5}, {"weeks": -1, "milliseconds": 1.0005}, {"seconds": 1e-6}, {"microseconds": 0.5}, {"microseconds": 1.5}, {"hours": 10**10}, {"days": 10**9}, {"days": "1"}, {"days": float("nan")}):
    show(lambda: timedelta(**args))
a, b = timedelta(days=3, seconds=5, microseconds=7), timedelta(hours=-7, microseconds=1)
for f in (lambda: a + b, lambda: a - b, lambda: -a, lambda: abs(b), lambda: a * 3, lambda: 2.5 * a, lambda: a / 3, lambda: a / b, lambda: a / 0.7, lambda: a // b, lambda: a // 7, lambda: a % b, lambda: divmod(a, b),
          lambda: a / 0, lambda: a // timedelta(0), lambda: a * "x", lambda: a + 1, lambda: str(a), lambda: str(b), lambda: b.total_seconds(), lambda: (a < b, a == b, a != 5, hash(a) == hash(timedelta(3, 5, 7))), lambda: bool(timedelta()),
          lambda: timedelta.max + timedelta.resolution, lambda: -timedelta.min, lambda: a < 5):
    show(f)

d = date(2024, 2, 29)
for f in (lambda: d, lambda: d + timedelta(1), lambda: d - date(2000, 1, 1), lambda: d.replace(year=2023), lambda: d.replace(month=3), lambda: d.isocalendar(), lambda: d.weekday(), lambda: d.isoweekday(), lambda: d.toordinal(), lambda: date.fromordinal(1),
          lambda: date.fromordinal(0), lambda: date.fromisocalendar(2020, 53, 7), lambda: date.fromisocalendar(2021, 53, 1), lambda: d.ctime(), lambda: d.strftime("%Y/%m/%d %j %a"), lambda: f"{d:%d.%m.%y}", lambda: f"{d}", lambda: d.timetuple()[:9],
          lambda: date(0, 1, 1), lambda: date(1, 13, 1), lambda: date(2023, 2, 29), lambda: date.min - timedelta(1), lambda: d < datetime(2024, 1, 1), lambda: d == datetime(2024, 2, 29), lambda: date(1, 1, "1"), lambda: date.max + timedelta(1), lambda: MAXYEAR):
    show(f)
for text in ("2024-02-29", "20240229", "2024-W09-4", "2024W094", "2024-W09", "2024-2-29", "2024-0229", "20240-229", "2024/02/29", "", "2023-02-29", "2024-W54-1", "２０２４-01-01"):
    show(lambda: date.fromisoformat(text))

t = time(12, 34, 56, 789000, fold=1)
for f in (lambda: t, lambda: t.isoformat("milliseconds"), lambda: t.isoformat("x"), lambda: t.replace(hour=1, tzinfo=UTC), lambda: time(24), lambda: time(0, tzinfo=1), lambda: time(1, tzinfo=UTC) == time(2, tzinfo=timezone(timedelta(hours=1))), lambda: time(1) < time(1, tzinfo=UTC),
          lambda: time(1) == time(1, tzinfo=UTC), lambda: hash(time(1, tzinfo=UTC)) == hash(time(2, tzinfo=timezone(timedelta(hours=1)))), lambda: t.strftime("%H.%M.%S.%f%z"), lambda: str(time(1, 2, tzinfo=timezone(-timedelta(hours=5, minutes=30)))), lambda: bool(time(0))):
    show(f)
for text in ("04", "04:23", "0423", "04:23:01", "042301.5", "04:23:01,123456789", "T04:23", "04:23+05:30", "04:23:01Z", "04:23-0530", "04:2", "04:23:01.", "04:23+5", "04:23:01+05:30:10.5", "4", "0423:01"):
    show(lambda: time.fromisoformat(text))

m = datetime(2024, 3, 10, 1, 59, 59, 999999)
east = timezone(timedelta(hours=9), "KST")
for f in (lambda: m, lambda: m + timedelta(microseconds=1), lambda: m - timedelta(days=800000), lambda: m - datetime(1970, 1, 1), lambda: m - datetime(1970, 1, 1, tzinfo=UTC), lambda: m.replace(tzinfo=east), lambda: m.replace(tzinfo=east).astimezone(UTC), lambda: m.date(), lambda: m.time(),
          lambda: m.replace(tzinfo=east).timetz(), lambda: datetime.combine(d, t), lambda: datetime.combine(d, t, UTC), lambda: datetime.combine(m, t), lambda: m.isoformat(" ", "minutes"), lambda: m.replace(tzinfo=east).isoformat(), lambda: str(m), lambda: m.ctime(),
          lambda: datetime.fromtimestamp(0, UTC), lambda: datetime.fromtimestamp(-1.5, UTC), lambda: datetime.fromtimestamp(1e20, UTC), lambda: datetime.fromtimestamp(float("nan"), UTC), lambda: datetime.fromtimestamp(1.0000005, UTC), lambda: datetime(1970, 1, 2, tzinfo=UTC).timestamp(),
          lambda: datetime.fromtimestamp(m.timestamp()) == m, lambda: m.strftime("%Y-%m-%dT%H:%M:%S.%f"), lambda: f"{m:%H}", lambda: datetime.strptime("2024-03-10 +0900", "%Y-%m-%d %z"), lambda: m.timetuple()[:6], lambda: m.replace(tzinfo=east).utctimetuple()[:6],
          lambda: m < m.replace(tzinfo=UTC), lambda: m == m.replace(tzinfo=UTC), lambda: m.replace(tzinfo=UTC) == m.replace(hour=10, tzinfo=east), lambda: hash(m.replace(tzinfo=UTC)) == hash(m.replace(hour=10, tzinfo=east)), lambda: datetime.max + timedelta.resolution, lambda: m + 1, lambda: m == 1, lambda: m < d):
    show(f)
for text in ("2024-03-10T01:02:03", "2024-03-10 01:02", "20240310T010203.5Z", "2024-W10-7T01", "2024-03-10", "2024-03-10x01:02+05:30", "2024-03-10T24:01", "2024-03-10T", "2024-03-10T25:00", "garbage", "2024-03-10T01:02:03+24:00", "2024-03-10\ud80001:02"):
    show(lambda: datetime.fromisoformat(text))

for f in (lambda: timezone.utc, lambda: UTC is timezone.utc, lambda: timezone(timedelta(0)) is UTC, lambda: east, lambda: str(east), lambda: str(timezone(timedelta(hours=-3, minutes=-30))), lambda: timezone(timedelta(hours=24)), lambda: timezone(1), lambda: timezone(timedelta(1), 5), lambda: east.utcoffset(None),
          lambda: east.tzname(m), lambda: east.dst(None), lambda: east.utcoffset(5), lambda: timezone.min, lambda: timezone.max, lambda: east == timezone(timedelta(hours=9)), lambda: hash(east) == hash(timedelta(hours=9)), lambda: tzinfo().utcoffset(None)):
    show(f)


class Zone(tzinfo):
    def __init__(self, hours=1, dst=1):
        self.hours, self.d = hours, dst

    def utcoffset(self, dt):
        return timedelta(hours=self.hours + self.d)

    def dst(self, dt):
        return timedelta(hours=self.d)

    def tzname(self, dt):
        return "zone"


class Bad(tzinfo):
    def utcoffset(self, dt):
        return 5

    def tzname(self, dt):
        return 5


z = Zone()
for f in (lambda: datetime(2024, 1, 1, tzinfo=z).utcoffset(), lambda: datetime(2024, 1, 1, tzinfo=z).astimezone(UTC), lambda: datetime(2024, 1, 1, tzinfo=UTC).astimezone(z).isoformat(), lambda: datetime(2024, 1, 1, tzinfo=Bad()).utcoffset(), lambda: datetime(2024, 1, 1, tzinfo=Bad()).tzname(),
          lambda: datetime(2024, 1, 1, tzinfo=Zone(30)).utcoffset(), lambda: datetime(2024, 1, 1, tzinfo=z).strftime("%Z %z %:z")):
    show(f)


class Day(date):
    pass


class Moment(datetime):
    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls, *args, **kwargs)
        self.extra = len(args)
        return self


class Delta(timedelta):
    pass


print(type(Day(2024, 1, 1) + timedelta(1)).__name__, type(Day.fromisoformat("2024-01-01")).__name__, type(Day(2024, 1, 1).replace(day=2)).__name__)
moment = Moment(2024, 1, 1, tzinfo=UTC)
print(type(moment + timedelta(1)).__name__, (moment + timedelta(1)).extra, type(moment.astimezone(east)).__name__, type(Moment.now()).__name__, type(Delta(1) + Delta(2)).__name__, Delta(1))
for value in a, d, t, m, east, UTC, z.__class__, m.replace(tzinfo=east, fold=1), time(1, tzinfo=UTC, fold=1):
    for protocol in range(6):
        again = pickle.loads(pickle.dumps(value, protocol))
        if again != value or getattr(again, "fold", 0) != (getattr(value, "fold", 0) if protocol > 3 else 0):
            print("differs", value, protocol, again)
    print(copy.deepcopy(value) == value, value.__reduce__() if not isinstance(value, type) else "")
show(lambda: datetime(b"\x07\xe8\x03\x0a\x01\x02\x03\x00\x00\x04", UTC))
show(lambda: date("\x07\xe8\x03\x0a"))
show(lambda: date(b"\x07\xe8\x0f\x0a"))
show(lambda: datetime(b"\x07\xe8\x03\x0a\x01\x02\x03\x00\x00\x04", 5))
