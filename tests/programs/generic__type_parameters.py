"""Type parameters and aliases: made lazily, shown, evaluated."""


def f[T: int, *Ts, **P](x: T) -> T:
    return x


print(f.__type_params__, f.__annotations__)
T, Ts, P = f.__type_params__
print(T.__bound__, T.__constraints__, T.__infer_variance__, T.__name__, P.args, P.kwargs, P.args == P.args)
type A[X] = list[X]
print(A, A.__value__, A.__type_params__, A[int], A.__name__)
type R = tuple[R, int]
print(R.__value__)
type Late = Missing
try:
    Late.__value__
except NameError as e:
    print(e)
Missing = str
print(Late.__value__)


class G[K, V = int]:
    def method[W: (int, str)](self) -> W: ...
    kind = K


print(G.__type_params__, G.__mro__[1:], G.kind is G.__type_params__[0])
K, V = G.__type_params__
W = G.method.__type_params__[0]
print(K.has_default(), V.has_default(), V.__default__, W.__constraints__, W.__bound__)
print(G.__parameters__, G[str].__args__, G[str, bool])


def outer[T]():
    def inner[U](x: T, y: U): ...
    return inner


print(outer().__annotations__)
for bad in ("class B[T, T]: pass", "def f[T: (yield)](): pass", "type X[T = int, U] = T"):
    try:
        exec(bad)
    except SyntaxError as e:
        print(e.msg)


class Base[T]:
    pass


class Derived[U](Base[U], list):
    pass


print(Derived.__orig_bases__, Derived([1, 2]), Derived[int]([3]))
