# The flags of reconfigure() are numbers.
import io


class Bad:
    def __index__(self):
        1 / 0


def attempt(**flags):
    text = io.TextIOWrapper(io.BytesIO(), "ascii")
    try:
        text.reconfigure(**flags)
    except Exception as error:
        return type(error).__name__, str(error)
    return text.line_buffering, text.write_through


for value in True, False, None, 1, 0, -7, 2**40, 2**1000, "yes", 1.5, [], Bad():
    print(attempt(line_buffering=value), attempt(write_through=value))
