"""Log records: formatted into memory, filtered by level, refused by level."""
import io
import logging


def main():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(lineno)d %(message)s"))
    logger = logging.getLogger("bench.part")
    logger.propagate = False
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    for i in range(3000):
        logger.info("item %d of %s", i, "many")
        logger.debug("never %d", i)
    for i in range(100):
        try:
            raise ValueError(i)
        except ValueError:
            logger.exception("failed")
    logger.removeHandler(handler)
    return len(stream.getvalue())


if __name__ == "__main__":
    from time import perf_counter

    begin = perf_counter()
    main()
    print("seconds", perf_counter() - begin)
