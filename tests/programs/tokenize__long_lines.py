"""Thousands of tokens on one long line do not each keep a copy of it."""
import io
import resource
import tokenize


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


before = peak()
source = "x = [" + "1, " * 10_000 + "]\nfor y in x: pass\n'''a\nb''' 'c'\n"
tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
print(len(tokens), tokens[0].line == tokens[20_000].line == source.splitlines(True)[0])
print([t.line for t in tokens[-9:]])
print(peak() - before < 150)
