"""Dates and times: arithmetic, comparison, text in both directions, zones."""
from datetime import date, datetime, timedelta, timezone


def main():
    start = datetime(2024, 2, 28, 23, 59, 30, 125)
    zone = timezone(timedelta(hours=5, minutes=30))
    step = timedelta(minutes=7, seconds=13)
    total = 0
    for i in range(6000):
        moment = start + step * i
        text = moment.isoformat()
        back = datetime.fromisoformat(text)
        if back == moment and back > start:
            total += (back - start).seconds
        aware = moment.replace(tzinfo=zone)
        total += aware.astimezone(timezone.utc).hour + int(aware.timestamp()) % 7
        total += len(moment.strftime("%Y-%m-%d %H:%M:%S.%f")) + hash(moment) % 2
        total += date(2024, 1, 1 + i % 28).weekday() + datetime.now(timezone.utc).year
        total += int(timedelta(hours=i, seconds=1.5) / timedelta(minutes=1))
    for i in range(300):
        total += datetime.strptime(f"2024-03-{i % 28 + 1:02} 12:00", "%Y-%m-%d %H:%M").day
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
