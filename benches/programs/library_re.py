"""Regular expressions: tokens of a log, substitution, a case that goes back."""
import re


def main():
    lines = [f'10.0.{i % 256}.{i % 7} - user{i} [21/Nov/2026:10:{i % 60:02}:00] "GET /path/{i}?q=a+b HTTP/1.1" {200 + i % 5} {i * 13}' for i in range(700)]
    pattern = re.compile(r'(?P<host>\d+(?:\.\d+){3}) - (\w+) \[([^\]]+)\] "(GET|POST) (\S+) [^"]*" (\d{3}) (\d+)')
    word = re.compile(r"[A-Za-z_]\w*|\d+|\S")
    total = 0
    for line in lines:
        match = pattern.match(line)
        total += int(match["host"].split(".")[0]) + int(match[7]) % 10
        total += len(word.findall(line))
        total += len(re.sub(r"\d+", lambda m: str(len(m[0])), line))
    text = "\n".join(lines)
    total += sum(1 for _ in re.finditer(r"user(\d+)", text))
    total += len(re.split(r"\s+", text)) + len(re.findall(r"(?i)HTTP/1\.[01]", text))
    total += len(re.sub(r"(\w+) (\w+)", r"\2 \1", text))
    total += re.search(r"(x+x+)+y", "x" * 14) is None
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
