"""Walking through text by index and by iteration, in ASCII and beyond."""


def main():
    ascii_text = "the quick brown fox " * 500
    other_text = "다람쥐 헌 쳇바퀴에 타고파 😀 " * 400
    total = 0
    for text in (ascii_text, other_text):
        for _ in range(60):
            for i in range(len(text)):
                if text[i] == " ":
                    total += 1
            for c in text:
                if c == "o":
                    total += 1
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
