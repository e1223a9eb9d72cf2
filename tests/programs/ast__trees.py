"""Trees of sources, with positions; code from trees; errors of bad trees."""
import ast

SOURCE = '''\
@decorator(1)
async def f(a, /, b: int = 2, *args, c, d=4, **kw) -> str:
    """Doc."""
    async with x as y, z:
        await g(*args, **kw, k=1)
    return (yield)

class A[T: int, *Ts, **P](B, metaclass=M):
    x: int = 1
    (y): int
    def m(self): return lambda q, *r: q

for i, (j, *k) in zip(a, b):
    if i: continue
    elif j: break
    else: pass
else:
    del i, j[0], k.l
try:
    raise E from None
except* (A, B) as e:
    pass
finally:
    assert a < b <= c != d, "msg"
match p:
    case {"k": 1, **rest} if rest: pass
    case Point(x=0, y=[_, *others]) | None: pass
    case -1 + 2j | "s" as t: pass
type Alias[U = int] = list[U]
v = [i for i in x if i if not i async for j in y] + {k: v, **w} | {*s}
w = f"a{b!r:>{c}}d" "e" f'{x = }'
u"x"; b'y' b"z"; 0xff; 1_000.5; 3j; ...; -1
a[1:2, ::3] = b = c @ d // ~e ** not_f if g else (h := 1)
x += 1; global n; import os.path as p, sys; from ..m import (a as b, c); from . import *
print(é, "é", f(x for x in y), (yield_,), (1,), ())
'''


def show(node, level=0):
    if isinstance(node, list):
        for item in node:
            show(item, level)
        return
    if not isinstance(node, ast.AST):
        print("  " * level + ascii(node))
        return
    place = ""
    if hasattr(node, "lineno"):
        place = f" {node.lineno}:{node.col_offset}-{node.end_lineno}:{node.end_col_offset}"
    print("  " * level + type(node).__name__ + place)
    for name, value in ast.iter_fields(node):
        if isinstance(value, (ast.AST, list)):
            if value != []:
                print("  " * level + " ." + name)
                show(value, level + 1)
        elif value is not None:
            print("  " * level + f" .{name} = {ascii(value)}")


show(ast.parse(SOURCE))
show(ast.parse("a, b", mode="eval"))
show(ast.parse("x", mode="single"))

# Code from trees.
tree = ast.parse("def f(n):\n    total = 0\n    for i in range(n):\n        total += i * i\n    return f'{total:>8}|{n!r}'\n")
namespace = {}
exec(compile(tree, "<tree>", "exec"), namespace)
print(namespace["f"](10))


class Double(ast.NodeTransformer):
    def visit_Constant(self, node):
        if isinstance(node.value, int):
            return ast.copy_location(ast.Constant(node.value * 2), node)
        return node


tree = Double().visit(ast.parse("1 + 2 * x", mode="eval"))
print(eval(compile(tree, "<tree>", "eval"), {"x": 10}), ast.unparse(tree))
name = ast.Expression(ast.Call(ast.Name("@odd name", ast.Load()), [ast.Constant((1, -2, None, b"b", "\ud800", 10**30, 1.5j))], []))
print(ascii(eval(compile(ast.fix_missing_locations(name), "<tree>", "eval"), {"@odd name": list})))
tree = ast.parse("def g():\n    raise ValueError\n")
ast.increment_lineno(tree, 41)
exec(compile(tree, "<tree>", "exec"), namespace)
print(namespace["g"].__code__.co_firstlineno)

# Bad trees.
load, store = ast.Load(), ast.Store()
for bad in (
    ast.Name("x", store),
    ast.Name("None", load),
    ast.Constant([1]),
    ast.BoolOp(ast.And(), [ast.Name("x", load)]),
    ast.Compare(ast.Name("x", load), [], []),
    ast.Dict([ast.Name("x", load)], []),
    ast.ListComp(ast.Name("x", load), []),
    ast.BinOp(ast.Name("x", load), None, ast.Name("x", load)),
    ast.Attribute(ast.Name("x", load), 3, load),
    ast.Call(ast.Name("x", load), 5, []),
    3,
):
    try:
        tree = ast.Expression(bad)
        if isinstance(bad, ast.AST):
            ast.fix_missing_locations(tree)
        compile(tree, "<bad>", "eval")
    except (ValueError, TypeError) as e:
        print(type(e).__name__, str(e).split(", but")[0])
for wrong in ("exec", "single"):
    try:
        compile(ast.parse("1", mode="eval"), "<bad>", wrong)
    except TypeError as e:
        print(e)
try:
    compile(ast.Expression(ast.Name("x", load)), "<bad>", "eval")
except TypeError as e:
    print(e)

# Classes.
print(ast.BinOp.__doc__, ast.BinOp._fields, ast.BinOp.__match_args__, ast.BinOp._attributes)
print(ast.expr_context.__doc__, ast.Load.__mro__[1].__name__, ast.arg._field_types["annotation"])
n = ast.Name(id="x")
print(n.id, isinstance(n.ctx, ast.Load), ast.List().elts, ast.Return().value)
match n:
    case ast.Name("x"):
        print("matched")
import copy, pickle

print(ast.dump(copy.deepcopy(ast.parse("x = 1"))) == ast.dump(pickle.loads(pickle.dumps(ast.parse("x = 1")))))
for text in ("[1, 'a', {'b': (2.5, -3)}, {4}, b'c', None, True, 1+2j]", "f(x)", "1 +", "a"):
    try:
        print(ast.literal_eval(text))
    except (ValueError, SyntaxError) as e:
        print(type(e).__name__)

# Calls of methods, on one line and on several, as trees that went through the parser and trees without places.
source = "words = ' a b '.strip().split()\nlast = (words\n    .copy()\n    .pop())\nprint(words, last)\n"
tree = ast.parse(source)
exec(compile(tree, "tree", "exec"))
for node in ast.walk(tree):
    for field in ("lineno", "col_offset", "end_lineno", "end_col_offset"):
        if hasattr(node, field):
            delattr(node, field)
exec(compile(ast.fix_missing_locations(tree), "tree", "exec"))
