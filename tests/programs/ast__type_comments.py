"""Comments that are annotations: where they may stand, what belongs to what, and signatures."""
import ast

SOURCE = '''\
import a  # type: ignore
x = 1  # type: int
(y) = (2)  #type:   List[int] # more
for i in x:  # type: int
    z = i  # type: ignore[misc]
with a as b, c:  # type: A, B
    pass
async def f(
    a,  # type: A
    b=(1),  # type: B

    *args,  # type: C
    d,
    e=2  # type: E
):
    # type: (...) -> int
    # another comment
    def g(): # type: () -> None
        pass
def h(**kw  # type: K
      ): return 1
w = lambda: 0  # type: Callable
u = [  # no annotation
    1]; v = 2  # type: int
'''
tree = ast.parse(SOURCE, type_comments=True)
for node in ast.walk(tree):
    if getattr(node, "type_comment", None) is not None:
        print(type(node).__name__, node.lineno, repr(node.type_comment))
print([(i.lineno, i.tag) for i in tree.type_ignores])
plain = ast.parse(SOURCE)
print(plain.type_ignores, [n for n in ast.walk(plain) if getattr(n, "type_comment", None)])
print(ast.unparse(tree))

for source in [
    "pass  # type: int\n",
    "x += 1  # type: int\n",
    "while x:  # type: int\n    pass\n",
    "# type: int\nx = 1\n",
    "def f(a  # type: A\n      , b): pass\n",
    "def f():  # type: () -> int\n    # type: () -> str\n    return 1\n",
    "x = (1  # type: int\n)\n",
    "x = 1  # type: ignored\n",
    "f()  # type: ignore!\n",
    "pass  # type: ignoré\n",
    "pass  # types: int\n",
    "pass  # type:\n",
    "x = 1  # type:\n",
]:
    try:
        tree = ast.parse(source, type_comments=True)
        print("ok", len(tree.type_ignores), getattr(tree.body[0], "type_comment", None))
    except SyntaxError as e:
        print(type(e).__name__, e.msg, e.lineno)

for signature in ["() -> int", "(int, *str, **Any) -> List['a -> b']", "(f(')'), *g) -> None", "(int,) -> str", "(*a, *b) -> c",
                  "(**a, b) -> c", "(a=b) -> c", "(x for x in y) -> c", "(int) str", "int -> str", "(int)(a) -> b"]:
    try:
        tree = ast.parse(signature, mode="func_type")
        print([ast.unparse(t) for t in tree.argtypes], ast.unparse(tree.returns))
    except SyntaxError as e:
        print(type(e).__name__)

for version, source in [((3, 5), "a = 1_000"), ((3, 5), "f'{a}'"), ((3, 4), "a @ b"), ((3, 7), "(a := 1)"), ((3, 6), "a = 1_000")]:
    try:
        ast.parse(source, feature_version=version)
        print("ok")
    except SyntaxError as e:
        print(e.msg)
