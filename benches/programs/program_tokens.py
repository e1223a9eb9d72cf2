"""A small tokenizer and calculator: strings, dicts, recursion."""

LEVELS = {"+": 1, "-": 1, "*": 2, "/": 2}


def tokens(text):
    i, n = 0, len(text)
    while i < n:
        c = text[i]
        if c.isspace():
            i += 1
        elif c.isdigit():
            start = i
            while i < n and text[i].isdigit():
                i += 1
            yield ("number", int(text[start:i]))
        else:
            yield ("operator", c)
            i += 1
    yield ("end", None)


class Parser:
    def __init__(self, text):
        self.tokens = list(tokens(text))
        self.at = 0

    def peek(self):
        return self.tokens[self.at]

    def take(self):
        token = self.tokens[self.at]
        self.at += 1
        return token

    def atom(self):
        kind, value = self.take()
        if kind == "number":
            return value
        if value == "(":
            inner = self.expression(0)
            self.take()
            return inner
        raise SyntaxError(value)

    def expression(self, level):
        left = self.atom()
        while True:
            kind, op = self.peek()
            strength = LEVELS.get(op, 0) if kind == "operator" else 0
            if strength <= level:
                return left
            self.take()
            right = self.expression(strength)
            if op == "+":
                left = left + right
            elif op == "-":
                left = left - right
            elif op == "*":
                left = left * right
            else:
                left = left / right


def main():
    total = 0
    for i in range(10_000):
        total += Parser(f"1 + 2 * (3 + {i}) - 4 / (1 + 1) * (5 - 2)").expression(0)
    return total


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
