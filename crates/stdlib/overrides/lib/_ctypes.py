"""C data types and foreign functions, above the operations of _ctypes_core.

What a type is in C stands in its _Info. An instance knows an address, the memory that keeps the address valid, and, if it is a part of
another instance, that instance with its own number in it. References to what pointers in the memory point to are kept by the outermost
instance: in _objects as CPython does, and in _c_keep for copies that only exist here.
"""

import sys
import _ctypes_core as _core
from _ctypes_core import Memory as _Memory, RTLD_GLOBAL, RTLD_LOCAL, dlclose
from operator import index as _index
from types import GenericAlias as _GenericAlias

__version__ = "1.1.0"
SIZEOF_TIME_T = 8
CTYPES_MAX_ARGCOUNT = 1024
FUNCFLAG_CDECL = 1
FUNCFLAG_PYTHONAPI = 4
FUNCFLAG_USE_ERRNO = 8
FUNCFLAG_USE_LASTERROR = 16
TYPEFLAG_ISPOINTER = 0x100
TYPEFLAG_HASPOINTER = 0x200

_CODES = "cbBhHiIlLdfuzZqQPOvg?"
_MAX = sys.maxsize
_WORD = 2 * sys.maxsize + 1
_POINTER_SIZE = _core.size("P")
_MEMMOVE, _MEMSET = _core.addresses
_get, _put = _core.get, _core.put


class ArgumentError(Exception):
    pass


class _Info:
    """What a type is in C."""

    __slots__ = (
        "kind", "size", "align", "length", "code", "proto", "ffi", "format", "itemformat", "shape", "swapped", "fields", "final",
        "pointer_type", "has_pointer", "big_endian", "argtypes", "restype", "flags", "converters",
    )

    def __init__(self, kind, size=0, align=1, length=0):
        self.kind, self.size, self.align, self.length = kind, size, align, length
        self.code = self.proto = self.pointer_type = None
        self.ffi = None
        self.format, self.itemformat, self.shape = "B", "B", ()
        self.swapped = self.final = self.has_pointer = self.big_endian = False
        self.fields = []


def _info_of(cls):
    """The _Info of a concrete type, else None."""
    return cls.__dict__.get("_c_info") if isinstance(cls, _CType) else None


def _need_info(cls):
    info = _info_of(cls)
    if info is None:
        raise TypeError("abstract class")
    return info


def _name(value):
    return type(value).__name__


# --- metaclasses


class _CType(type):
    """The metaclass of all types."""

    def __mul__(cls, length):
        if not hasattr(length, "__index__"):
            return NotImplemented
        length = length.__index__()
        if length < 0:
            raise ValueError(f"Array length must be >= 0, not {length}")
        key = (cls, length)
        found = _array_types.get(key)
        if found is None:
            found = _array_types[key] = PyCArrayType(
                f"{cls.__name__}_Array_{length}", (Array,), {"_length_": length, "_type_": cls}
            )
        return found

    __rmul__ = __mul__

    @property
    def __pointer_type__(cls):
        info = _info_of(cls)
        if info is None or info.pointer_type is None:
            raise AttributeError(f"type {cls!r} has no attribute '__pointer_type__'")
        return info.pointer_type

    @__pointer_type__.setter
    def __pointer_type__(cls, value):
        _need_info(cls).pointer_type = value

    def __sizeof__(cls):
        return type.__sizeof__(cls)

    def from_address(cls, address, /):
        sys.audit("ctypes.cdata", address)
        info = _need_info(cls)
        info.final = True
        if not isinstance(address, int):
            raise TypeError("integer expected")
        return _at(cls, address & _WORD)

    def from_buffer(cls, obj, offset=0, /):
        info = _need_info(cls)
        info.final = True
        view = memoryview(obj)
        if view.readonly:
            raise TypeError("underlying buffer is not writable")
        if not view.c_contiguous:
            raise TypeError("underlying buffer is not C contiguous")
        _check_room(info, view, offset)
        sys.audit("ctypes.cdata/buffer", 0, view.nbytes, offset)
        memory = _Memory.pin(view)
        new = _at(cls, memory.address + offset, memory)
        _keep(new, -1, view)
        return new

    def from_buffer_copy(cls, buffer, offset=0, /):
        info = _need_info(cls)
        view = memoryview(buffer)
        if not view.c_contiguous:
            raise BufferError("memoryview: underlying buffer is not C-contiguous")
        _check_room(info, view, offset)
        new = _make(cls)
        sys.audit("ctypes.cdata/buffer", 0, view.nbytes, offset)
        if view.nbytes:
            _core.write(new._c_addr, view.cast("B")[offset : offset + info.size])
        return new

    def in_dll(cls, dll, name, /):
        sys.audit("ctypes.dlsym", dll, name)
        _need_info(cls).final = True
        handle = dll._handle
        if not isinstance(handle, int):
            raise TypeError("the _handle attribute of the second argument must be an integer")
        address = _core.dlsym(handle, name)
        if address is None:
            raise ValueError(_core.dlerror())
        return _at(cls, address)

    def from_param(cls, value, /):
        if isinstance(value, cls):
            return value
        if isinstance(value, CArgObject):
            if isinstance(value._obj, cls) and value._spec == "P":
                return value
            raise TypeError(f"expected {cls.__name__} instance instead of pointer to {_name(value._obj)}")
        if hasattr(value, "_as_parameter_"):
            return cls.from_param(value._as_parameter_)
        raise TypeError(f"expected {cls.__name__} instance instead of {_name(value)}")


def _check_room(info, view, offset):
    if offset < 0:
        raise ValueError("offset cannot be negative")
    if info.size > view.nbytes - offset:
        raise ValueError(f"Buffer size too small ({view.nbytes} instead of at least {info.size + offset} bytes)")


_array_types = {}


class PyCSimpleType(_CType):
    def __new__(meta, name, bases, namespace, **kwargs):
        cls = super().__new__(meta, name, bases, namespace, **kwargs)
        code = getattr(cls, "_type_", None)
        if namespace.get("_c_abstract_"):
            type.__delattr__(cls, "_c_abstract_")
            return cls
        if not hasattr(cls, "_type_"):
            raise AttributeError("class must define a '_type_' attribute")
        if not isinstance(code, str):
            raise TypeError("class must define a '_type_' string attribute")
        if len(code) != 1:
            raise ValueError("class must define a '_type_' attribute which must be a string of length 1")
        if code not in _CODES:
            raise AttributeError(
                "class must define a '_type_' attribute which must be\na single character string containing one of '%s'." % _CODES
            )
        size = _core.size(code)
        info = _Info("simple", size, size)
        info.code = info.ffi = code
        info.has_pointer = code in "zZPO"
        info.format = info.itemformat = _simple_format(code, sys.byteorder == "big")
        type.__setattr__(cls, "_c_info", info)
        # The same type in the other byte order.
        if meta is PyCSimpleType and bases == (_SimpleCData,) and code in "hHiIlLqQfd":
            swapped = super().__new__(meta, name, (_SimpleCData,), {"__module__": cls.__module__, "_type_": code})
            other = _Info("simple", size, size)
            other.code = other.ffi = code
            other.swapped = True
            other.format = other.itemformat = _simple_format(code, sys.byteorder != "big")
            type.__setattr__(swapped, "_c_info", other)
            mine, others = ("__ctype_le__", "__ctype_be__") if sys.byteorder == "little" else ("__ctype_be__", "__ctype_le__")
            for one in (cls, swapped):
                type.__setattr__(one, mine, cls)
                type.__setattr__(one, others, swapped)
        return cls

    def from_param(cls, value, /):
        if isinstance(value, cls):
            return value
        info = _need_info(cls)
        code = info.code
        if code in "zZP":
            made = _pointer_param(cls, code, value)
            if made is not None:
                return made
            if hasattr(value, "_as_parameter_"):
                return cls.from_param(value._as_parameter_)
            if code == "z":
                raise TypeError(f"'{_name(value)}' object cannot be interpreted as ctypes.c_char_p")
            raise TypeError(
                f"'{_name(value)}' object cannot be interpreted as ctypes.{'c_wchar_p' if code == 'Z' else 'c_void_p'}"
            )
        try:
            return CArgObject(code, _checked(code, value), value)
        except Exception:
            if hasattr(value, "_as_parameter_"):
                return cls.from_param(value._as_parameter_)
            raise


def _simple_format(code, big):
    letter = {"l": "q" if _core.size("l") == 8 else "l", "L": "Q" if _core.size("l") == 8 else "L"}.get(code, code)
    return (">" if big else "<") + letter


def _pointer_param(cls, code, value):
    """A value for a parameter of type c_char_p, c_wchar_p or c_void_p; None if it is none."""
    if value is None:
        return CArgObject("P", 0, None)
    if isinstance(value, bytes) and code in "zP":
        memory = _copy_of(value + b"\0")
        return CArgObject(code, memory.address, value, memory, "P")
    if isinstance(value, str) and code in "ZP":
        memory = _copy_of(_wide(value))
        return CArgObject("Z", memory.address, value, memory, "P")
    if isinstance(value, int) and code == "P":
        return CArgObject("P", value & _WORD, None)
    if isinstance(value, CArgObject):
        target = _info_of(type(value._obj))
        if code == "P" and value._tag in "PzZ":
            return value
        if target is not None and target.code == ("c" if code == "z" else "u"):
            return value
        return None
    info = _info_of(type(value))
    if info is None:
        return None
    wanted = "c" if code == "z" else "u"
    if info.kind in ("array", "pointer"):
        proto = _info_of(info.proto) if info.proto is not None else None
        if code == "P" or proto is not None and proto.code == wanted:
            return value
    if code == "P" and (info.kind == "func" or info.kind == "simple" and info.code in "zZ"):
        return CArgObject("P", _get("P", value._c_addr), value)
    return None


class PyCPointerType(_CType):
    def __new__(meta, name, bases, namespace, **kwargs):
        cls = super().__new__(meta, name, bases, namespace, **kwargs)
        if namespace.get("_c_abstract_"):
            type.__delattr__(cls, "_c_abstract_")
            return cls
        info = _Info("pointer", _POINTER_SIZE, _POINTER_SIZE, 1)
        info.ffi = "P"
        info.has_pointer = True
        info.format = info.itemformat = "X{}"
        type.__setattr__(cls, "_c_info", info)
        proto = getattr(cls, "_type_", None)
        if proto is not None:
            _point_to(cls, info, proto)
        return cls

    def set_type(cls, type_, /):
        _point_to(cls, _need_info(cls), type_)
        type.__setattr__(cls, "_type_", type_)

    def from_param(cls, value, /):
        if value is None:
            return None
        proto = _need_info(cls).proto
        if proto is None:
            raise TypeError("cannot create instance: has no _type_")
        if isinstance(value, proto):
            return byref(value)
        info = _info_of(type(value))
        if info is not None and info.kind in ("pointer", "array") and info.proto is not None and issubclass(info.proto, proto):
            return value
        return _CType.from_param(cls, value)


def _point_to(cls, info, proto):
    target = _info_of(proto)
    if target is None:
        raise TypeError("_type_ must have storage info")
    info.proto = proto
    shape = "(" + ",".join(map(str, target.shape)) + ")" if target.shape else ""
    info.format = info.itemformat = "&" + shape + target.itemformat
    if target.pointer_type is None:
        target.pointer_type = cls


class PyCArrayType(_CType):
    def __new__(meta, name, bases, namespace, **kwargs):
        cls = super().__new__(meta, name, bases, namespace, **kwargs)
        if namespace.get("_c_abstract_"):
            type.__delattr__(cls, "_c_abstract_")
            return cls
        if not hasattr(cls, "_length_"):
            raise AttributeError("class must define a '_length_' attribute")
        length = cls._length_
        if not isinstance(length, int):
            raise TypeError("The '_length_' attribute must be an integer")
        if length < 0:
            raise ValueError("The '_length_' attribute must not be negative")
        if length > _MAX:
            raise OverflowError("The '_length_' attribute is too large")
        if not hasattr(cls, "_type_"):
            raise AttributeError("class must define a '_type_' attribute")
        item = _info_of(cls._type_)
        if item is None:
            raise TypeError("_type_ must have storage info")
        if item.size * length > _MAX:
            raise OverflowError("array too large")
        item.final = True
        info = _Info("array", item.size * length, item.align, length)
        info.proto = cls._type_
        info.has_pointer = item.has_pointer
        info.shape = (length, *item.shape)
        info.itemformat = item.itemformat
        info.format = item.itemformat
        info.ffi = None
        type.__setattr__(cls, "_c_info", info)
        if item.code == "c":
            type.__setattr__(cls, "value", _char_value)
            type.__setattr__(cls, "raw", _char_raw)
        elif item.code == "u":
            type.__setattr__(cls, "value", _wchar_value)
        return cls


class _StructUnionType(_CType):
    def __new__(meta, name, bases, namespace, **kwargs):
        cls = super().__new__(meta, name, bases, namespace, **kwargs)
        if namespace.get("_c_abstract_"):
            type.__delattr__(cls, "_c_abstract_")
            return cls
        if namespace.get("_abstract_"):
            return cls
        base = _info_of(cls.__base__)
        info = _Info(meta._kind)
        if base is not None:
            base.final = True
            for field in ("size", "align", "length", "format", "itemformat", "has_pointer"):
                setattr(info, field, getattr(base, field))
            info.fields = list(base.fields)
        else:
            info.format = info.itemformat = "B"
        type.__setattr__(cls, "_c_info", info)
        if "_fields_" in namespace:
            # Through the metaclass of the class, which may change the types.
            setattr(cls, "_fields_", namespace["_fields_"])
        return cls

    def __setattr__(cls, name, value):
        if name == "_fields_":
            _set_fields(cls, value)
        super().__setattr__(name, value)


class PyCStructType(_StructUnionType):
    _kind = "struct"


class UnionType(_StructUnionType):
    _kind = "union"


def _set_fields(cls, fields):
    info = _need_info(cls)
    if info.final:
        raise AttributeError("_fields_ is final")
    try:
        fields = list(fields)
    except TypeError:
        raise TypeError("_fields_ must be a sequence of pairs") from None
    base = cls.__base__
    base = base if _info_of(base) is not None else None
    from ctypes._layout import get_layout

    for field in fields:
        if not isinstance(field, tuple) or len(field) not in (2, 3):
            raise TypeError("_fields_ must be a sequence of (name, C type) pairs")
        if not isinstance(field[0], str):
            raise TypeError("_fields_ must be a sequence of (name, C type) pairs")
        if _info_of(field[1]) is None:
            raise TypeError("second item in _fields_ tuple (index %d) must be a C type" % fields.index(field))
        if field[1] is cls:
            raise AttributeError("Structure or union cannot contain itself")
    layout = get_layout(cls, fields, info.kind == "struct", base)
    parent = _info_of(base) if base is not None else None
    info.fields = list(parent.fields) if parent else []
    info.size, info.align, info.format = layout.size, layout.align, layout.format_spec
    info.itemformat = layout.format_spec
    info.has_pointer = bool(parent and parent.has_pointer)
    first = parent.length if parent else 0
    for number, field in enumerate(layout.fields):
        field._index = first + number
        target = _info_of(field.type)
        target.final = True
        info.has_pointer |= target.has_pointer
        info.fields.append(field)
        type.__setattr__(cls, field.name, field)
    info.length = len(info.fields)
    info.final = True
    info.ffi = None
    if "_anonymous_" in cls.__dict__:
        _show_anonymous(cls)


def _spec(info):
    """What libffi is told: the items of an array, the fields of a structure; for a union or bit fields, integers or floats of the same places."""
    if info.ffi is not None:
        return info.ffi
    if info.kind == "array":
        return (_spec(_info_of(info.proto)),) * info.length
    if info.kind == "struct" and not any(f.is_bitfield for f in info.fields):
        spec = tuple(_spec(_info_of(f.type)) for f in info.fields)
        if spec:
            return spec
    kinds = {_info_of(f.type).code for f in info.fields}
    if kinds == {"d"}:
        return ("d",) * (info.size // 8)
    if kinds == {"f"}:
        return ("f",) * (info.size // 4)
    unit = {8: "Q", 4: "I", 2: "H"}.get(info.align, "B")
    return (unit,) * (info.size // _core.size(unit))


def _show_anonymous(cls):
    try:
        names = list(cls._anonymous_)
    except TypeError:
        raise TypeError("_anonymous_ must be a sequence") from None
    for name in names:
        outer = cls.__dict__.get(name) or getattr(cls, name)
        if not isinstance(outer, CField):
            raise AttributeError(f"'{name}' is specified in _anonymous_ but not in _fields_")
        outer.is_anonymous = True
        for inner in _need_info(outer.type).fields:
            if hasattr(cls, inner.name) and isinstance(cls.__dict__.get(inner.name), CField):
                continue
            type.__setattr__(cls, inner.name, inner._moved(outer))
        # What is anonymous in there is reached as well.
        for attr, inner in vars(outer.type).items():
            if isinstance(inner, CField) and not isinstance(cls.__dict__.get(attr), CField):
                type.__setattr__(cls, attr, inner._moved(outer))


class PyCFuncPtrType(_CType):
    def __new__(meta, name, bases, namespace, **kwargs):
        cls = super().__new__(meta, name, bases, namespace, **kwargs)
        if namespace.get("_c_abstract_"):
            type.__delattr__(cls, "_c_abstract_")
            return cls
        info = _Info("func", _POINTER_SIZE, _POINTER_SIZE)
        info.ffi = "P"
        info.has_pointer = True
        info.format = info.itemformat = "X{}"
        flags = getattr(cls, "_flags_", None)
        if not isinstance(flags, int):
            raise TypeError("class must define _flags_ which must be an integer")
        info.flags = flags | (FUNCFLAG_PYTHONAPI if flags & FUNCFLAG_PYTHONAPI else 0)
        info.argtypes = info.converters = None
        info.restype = None
        if (argtypes := getattr(cls, "_argtypes_", None)) is not None:
            if not isinstance(argtypes, tuple):
                raise TypeError("_argtypes_ must be a sequence of types")
            info.converters = _converters(argtypes, "item %d in _argtypes_ has no from_param method")
            info.argtypes = argtypes
        if (restype := getattr(cls, "_restype_", None)) is not None:
            if _info_of(restype) is None and not callable(restype):
                raise TypeError("_restype_ must be a type, a callable, or None")
            info.restype = restype
        type.__setattr__(cls, "_c_info", info)
        return cls


def _converters(argtypes, message):
    if len(argtypes) > CTYPES_MAX_ARGCOUNT:
        raise ArgumentError(f"_argtypes_ has too many arguments ({len(argtypes)}), maximum is {CTYPES_MAX_ARGCOUNT}")
    for number, argtype in enumerate(argtypes, 1):
        if not hasattr(argtype, "from_param"):
            raise TypeError(message % number)
    return tuple(argtype.from_param for argtype in argtypes)


# --- instances


class _CData(metaclass=_CType):
    __slots__ = ("_c_addr", "_c_mem", "_c_base", "_c_index", "_c_objects", "_c_keep", "_c_size", "__weakref__")

    def __new__(cls, *args, **kwargs):
        return _make(cls)

    @property
    def _b_base_(self):
        """the base object"""
        return self._c_base

    @property
    def _b_needsfree_(self):
        """whether the object owns the memory or not"""
        return int(self._c_base is None and self._c_mem is not None)

    @property
    def _objects(self):
        """internal objects tree (NEVER CHANGE THIS OBJECT!)"""
        return self._c_objects

    __hash__ = None

    def __buffer__(self, flags, /):
        info = type(self)._c_info
        size = self._c_size
        if size is None:
            shape = info.shape
            itemsize = info.size
            for extent in shape:
                itemsize = itemsize // extent if extent else 0
            if info.shape and 0 in info.shape:
                item = info
                while item.kind == "array":
                    item = item.proto._c_info
                itemsize = item.size
            return memoryview(_Memory.at(self._c_addr, info.size, self, False, info.itemformat, itemsize, shape))
        return memoryview(_Memory.at(self._c_addr, size, self, False, "B", 1, (size,)))

    def __reduce__(self):
        if type(self)._c_info.has_pointer:
            raise ValueError("ctypes objects containing pointers cannot be pickled")
        return _unpickle, (type(self), (getattr(self, "__dict__", {}), _core.read(self._c_addr, type(self)._c_info.size)))

    def __setstate__(self, state, /):
        attributes, data = state
        _core.write(self._c_addr, data[: type(self)._c_info.size])
        self.__dict__.update(attributes)

    def __ctypes_from_outparam__(self):
        """default __ctypes_from_outparam__ method returns self."""
        return self


def _unpickle(cls, state, /):
    new = cls.__new__(cls)
    new.__setstate__(state)
    return new


def _at(cls, address, memory=None, base=None, index=0):
    new = object.__new__(cls)
    new._c_addr, new._c_mem, new._c_base, new._c_index = address, memory, base, index
    new._c_objects = new._c_keep = new._c_size = None
    return new


def _make(cls):
    info = cls.__dict__.get("_c_info")
    if info is None:
        raise TypeError("abstract class")
    info.final = True
    memory = _Memory.alloc(info.size)
    return _at(cls, memory.address, memory)


def _root(self):
    while self._c_base is not None:
        self = self._c_base
    if self._c_objects is None and type(self)._c_info.length:
        self._c_objects = {}
    return self


def _key(self, index):
    key = f"{index & 0xffffffff:x}"
    while self._c_base is not None:
        key += f":{self._c_index:x}"
        self = self._c_base
    return key


def _keep(self, index, value, memory=None):
    """Keeps what part `index` of an instance points to."""
    if value is None and memory is None:
        return
    root = _root(self)
    if memory is not None:
        if root._c_keep is None:
            root._c_keep = {}
        root._c_keep[_key(self, index)] = memory
    if value is None:
        return
    if not isinstance(root._c_objects, dict):
        root._c_objects = value
    else:
        root._c_objects[_key(self, index)] = value


def _kept(self):
    """What an instance keeps, for another that gets a copy of its memory."""
    root = _root(self)
    memory = root._c_keep
    return root._c_objects, (root if memory is not None or root._c_mem is not None else None)


def _copy_of(data):
    memory = _Memory.alloc(len(data))
    if data:
        _core.write(memory.address, data)
    return memory


def _wide(text):
    return text.encode("utf-32-le" if sys.byteorder == "little" else "utf-32-be", "surrogatepass") + b"\0\0\0\0"


def _checked(code, value):
    """A value that can be stored as `code`; errors as CPython's."""
    if code in "bBhHiIlLqQ":
        if not isinstance(value, int):
            value = _index(value)
    elif code == "c":
        if isinstance(value, (bytes, bytearray)):
            if len(value) != 1:
                raise TypeError("one character bytes, bytearray or integer expected")
            return bytes(value)
        if not isinstance(value, int) or not 0 <= value < 256:
            raise TypeError("one character bytes, bytearray or integer expected")
    elif code == "u":
        if not isinstance(value, str):
            raise TypeError(f"a unicode character expected, not instance of {_name(value)}")
        if len(value) != 1:
            raise TypeError(f"a unicode character expected, not a string of length {len(value)}")
    elif code in "fdg":
        value = float(value) if isinstance(value, (int, float)) or hasattr(value, "__float__") or hasattr(value, "__index__") else _no_number(value)
    return value


def _no_number(value):
    raise TypeError(f"must be real number, not {_name(value)}")


def _store_simple(info, address, value):
    """Stores a value of a simple type; gives what is to be kept, and memory that was made for it."""
    code = info.code
    if code in "zZP":
        if value is None:
            _put("P", address, 0)
            return None, None
        if isinstance(value, int):
            _put("P", address, value & _WORD)
            return None, None
        if code == "z" and isinstance(value, bytes):
            memory = _copy_of(value + b"\0")
            _put("P", address, memory.address)
            return value, memory
        if code == "Z" and isinstance(value, str):
            memory = _copy_of(_wide(value))
            _put("P", address, memory.address)
            return value, memory
        if code == "P":
            raise TypeError("cannot be converted to pointer")
        kind = "bytes" if code == "z" else "unicode string"
        raise TypeError(f"{kind} or integer address expected instead of {_name(value)} instance")
    _put(code, address, _checked(code, value), info.swapped)
    return (value if code == "O" else None), None


def _load(cls, owner, index, address):
    """The value of a part of `owner`."""
    info = cls._c_info
    if info.kind == "simple" and cls.__base__ is _SimpleCData:
        return _get(info.code, address, info.swapped)
    return _at(cls, address, None, owner, index)


def _store(cls, owner, index, address, value):
    """Sets a part of `owner`, and keeps what it points to."""
    kept, memory = _store_at(cls, address, value)
    _keep(owner, index, kept, memory)


def _store_at(cls, address, value):
    info = cls._c_info
    if isinstance(value, cls):
        if info.size:
            _core.write(address, _core.read(value._c_addr, info.size))
        return _kept(value)
    if info.kind == "simple" and not isinstance(value, _CData):
        return _store_simple(info, address, value)
    if not isinstance(value, _CData):
        if isinstance(value, tuple):
            try:
                made = cls(*value)
            except Exception as e:
                raise RuntimeError(f"({cls.__name__}) {type(e).__name__}: {e}") from None
            return _store_at(cls, address, made)
        if value is None and info.kind == "pointer":
            _put("P", address, 0)
            return None, None
        raise TypeError(f"expected {cls.__name__} instance, got {_name(value)}")
    other = type(value)._c_info
    if info.kind == "pointer" and other.kind == "array":
        if other.proto is not info.proto:
            raise TypeError(f"incompatible types, {_name(value)} instance instead of {cls.__name__} instance")
        _put("P", address, value._c_addr)
        objects, memory = _kept(value)
        return (objects, value), memory
    if info.kind == "simple" and info.code in "zZP" and other.kind in ("array", "pointer"):
        _put("P", address, value._c_addr if other.kind == "array" else _get("P", value._c_addr))
        return value, None
    if info.kind == "simple" and info.code == "O":
        return _store_simple(info, address, value)
    raise TypeError(f"incompatible types, {_name(value)} instance instead of {cls.__name__} instance")


_unset = object()


class _SimpleCData(_CData, metaclass=PyCSimpleType):
    """XXX to be provided"""

    __slots__ = ()
    _c_abstract_ = True

    def __init__(self, value=_unset):
        if value is not _unset:
            self.value = value

    @property
    def value(self):
        """current value"""
        info = type(self)._c_info
        return _get(info.code, self._c_addr, info.swapped)

    @value.setter
    def value(self, value):
        info = type(self)._c_info
        kept, memory = _store_simple(info, self._c_addr, value)
        if kept is not None or memory is not None:
            _keep(self, 0, kept, memory)

    @value.deleter
    def value(self):
        raise TypeError("can't delete attribute")

    def __bool__(self):
        return any(_core.read(self._c_addr, type(self)._c_info.size))

    def __repr__(self):
        if type(self).__base__ is not _SimpleCData:
            return f"<{type(self).__name__} object at {id(self):#x}>"
        return f"{type(self).__name__}({self.value!r})"

    def __ctypes_from_outparam__(self):
        """default __ctypes_from_outparam__ method returns self."""
        return self.value if type(self).__base__ is _SimpleCData else self


class _Pointer(_CData, metaclass=PyCPointerType):
    """XXX to be provided"""

    __slots__ = ()
    _c_abstract_ = True

    def __new__(cls, *args):
        info = cls.__dict__.get("_c_info")
        if info is None or info.proto is None:
            raise TypeError("Cannot create instance: has no _type_")
        info.proto._c_info.final = True
        return _make(cls)

    def __init__(self, value=None):
        if value is not None:
            self.contents = value

    def _target(self):
        address = _get("P", self._c_addr)
        if not address:
            raise ValueError("NULL pointer access")
        return address

    @property
    def contents(self):
        """the object this pointer points to (read-write)"""
        return _at(type(self)._c_info.proto, self._target(), None, self, 0)

    @contents.setter
    def contents(self, value):
        proto = type(self)._c_info.proto
        if not isinstance(value, proto):
            info = _info_of(type(value))
            if info is None or info.kind != "array" or info.proto is not proto:
                raise TypeError(f"expected {proto.__name__} instead of {_name(value)}")
        _put("P", self._c_addr, value._c_addr)
        _keep(self, 1, value)
        objects, _ = _kept(value)
        _keep(self, 0, objects)

    @contents.deleter
    def contents(self):
        raise TypeError("Pointer does not support item deletion")

    def __getitem__(self, index, /):
        proto = type(self)._c_info.proto
        size = proto._c_info.size
        if isinstance(index, slice):
            step = 1 if index.step is None else index.step.__index__()
            if index.start is None:
                if step < 0:
                    raise ValueError("slice start is required for step < 0")
                start = 0
            else:
                start = index.start.__index__()
            if index.stop is None:
                raise ValueError("slice stop is required")
            numbers = range(start, index.stop.__index__(), step)
            code = proto._c_info.code
            if code == "c":
                at = self._target()
                return b"".join(_core.read(at + i, 1) for i in numbers) if step != 1 else _core.read(at + start, max(len(numbers), 0))
            if code == "u":
                return "".join(_get("u", self._target() + 4 * i) for i in numbers)
            return [self[i] for i in numbers]
        if not hasattr(index, "__index__"):
            raise TypeError("Pointer indices must be integer")
        index = index.__index__()
        return _load(proto, self, index, self._target() + index * size)

    def __setitem__(self, index, value, /):
        if not hasattr(index, "__index__"):
            raise TypeError("Pointer indices must be integer")
        index = index.__index__()
        proto = type(self)._c_info.proto
        _store(proto, self, index, self._target() + index * proto._c_info.size, value)

    def __delitem__(self, index, /):
        raise TypeError("Pointer does not support item deletion")

    def __bool__(self):
        return _get("P", self._c_addr) != 0


class Array(_CData, metaclass=PyCArrayType):
    """Abstract base class for arrays.

    The recommended way to create concrete array types is by multiplying any
    ctypes data type with a non-negative integer. Alternatively, you can subclass
    this type and define _length_ and _type_ class variables. Array elements can
    be read and written using standard subscript and slice accesses for slice
    reads, the resulting object is not itself an Array."""

    __slots__ = ()
    _c_abstract_ = True
    __class_getitem__ = classmethod(_GenericAlias)

    def __init__(self, *args):
        for index, value in enumerate(args):
            self[index] = value

    def __len__(self):
        return type(self)._c_info.length

    def _place(self, index):
        info = type(self)._c_info
        index = index.__index__()
        if index < 0:
            index += info.length
        if not 0 <= index < info.length:
            raise IndexError("invalid index")
        return index, self._c_addr + index * info.proto._c_info.size

    def __getitem__(self, index, /):
        proto = type(self)._c_info.proto
        if isinstance(index, slice):
            numbers = range(*index.indices(len(self)))
            code = proto._c_info.code
            if code == "c":
                return _core.read(self._c_addr, len(self))[index]
            if code == "u":
                return "".join(_get("u", self._c_addr + 4 * i) for i in numbers)
            return [self[i] for i in numbers]
        if not hasattr(index, "__index__"):
            raise TypeError("indices must be integers")
        index, address = self._place(index)
        return _load(proto, self, index, address)

    def __setitem__(self, index, value, /):
        if isinstance(index, slice):
            numbers = range(*index.indices(len(self)))
            if len(value) != len(numbers):
                raise ValueError("Can only assign sequence of same size")
            for i, item in zip(numbers, value):
                self[i] = item
            return
        if not hasattr(index, "__index__"):
            raise TypeError("indices must be integer")
        index, address = self._place(index)
        _store(type(self)._c_info.proto, self, index, address, value)

    def __delitem__(self, index, /):
        raise TypeError("Array does not support item deletion")

    def __iter__(self):
        for index in range(len(self)):
            yield self[index]


def _get_char_value(self):
    data = _core.read(self._c_addr, type(self)._c_info.size)
    return data.partition(b"\0")[0]


def _set_char_value(self, value):
    if not isinstance(value, bytes):
        raise TypeError(f"bytes expected instead of {_name(value)} instance")
    size = type(self)._c_info.size
    if len(value) > size:
        raise ValueError("byte string too long")
    _core.write(self._c_addr, value + b"\0" if len(value) < size else value)


def _get_raw(self):
    return _core.read(self._c_addr, type(self)._c_info.size)


def _set_raw(self, value):
    view = memoryview(value)
    if view.nbytes > type(self)._c_info.size:
        raise ValueError("byte string too long")
    _core.write(self._c_addr, view)


def _get_wchar_value(self):
    text = []
    for i in range(len(self)):
        c = _get("u", self._c_addr + 4 * i)
        if c == "\0":
            break
        text.append(c)
    return "".join(text)


def _set_wchar_value(self, value):
    if not isinstance(value, str):
        raise TypeError(f"unicode string expected instead of {_name(value)} instance")
    if len(value) > len(self):
        raise ValueError("string too long")
    data = _wide(value)
    _core.write(self._c_addr, data if len(value) < len(self) else data[:-4])


def _no_delete(self):
    raise TypeError("cannot delete attribute")


_char_value = property(_get_char_value, _set_char_value, _no_delete, doc="string value")
_char_raw = property(_get_raw, _set_raw, doc="value")
_wchar_value = property(_get_wchar_value, _set_wchar_value, _no_delete, doc="string value")


class CField:
    """Structure/Union member"""

    __slots__ = ("name", "type", "byte_size", "byte_offset", "bit_size", "bit_offset", "is_bitfield", "is_anonymous", "_index", "_path")

    def __init__(self, *, name, type, byte_size, byte_offset, index, _internal_use, bit_size=None, bit_offset=None):
        info = _info_of(type)
        if info is None:
            raise TypeError(f"type of field {name!r} must be a C type")
        self.name, self.type, self.byte_size, self.byte_offset = name, type, byte_size, byte_offset
        self.is_bitfield = bit_size is not None
        self.is_anonymous = False
        self.bit_size = byte_size * 8 if bit_size is None else bit_size
        self.bit_offset = bit_offset or 0
        self._index, self._path = index, ()
        if self.is_bitfield and info.code not in tuple("bBhHiIlLqQ?c"):
            raise TypeError("bit fields not allowed for type " + type.__name__)

    def _moved(self, outer):
        """The field of an anonymous part, as a field of the whole."""
        new = object.__new__(CField)
        for slot in CField.__slots__:
            setattr(new, slot, getattr(self, slot))
        new.byte_offset += outer.byte_offset
        new._path = (outer, *self._path)
        return new

    @property
    def offset(self):
        return self.byte_offset

    @property
    def size(self):
        return self.bit_size << 16 | self.bit_offset if self.is_bitfield else self.byte_size

    def _owner(self, instance):
        """The instance whose part it is: what is anonymous lies between."""
        at = 0
        for outer in self._path:
            at += outer.byte_offset
            instance = _at(outer.type, instance._c_addr + outer.byte_offset, None, instance, outer._index)
        return instance, self.byte_offset - sum(outer.byte_offset for outer in self._path)

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        if not isinstance(instance, _CData):
            raise TypeError("not a ctype instance")
        if not self.is_bitfield:
            part, offset = self._owner(instance) if self._path else (instance, self.byte_offset)
            text = _text_kind(self.type)
            if text is not None:
                field = _at(self.type, part._c_addr + offset, None, part, self._index)
                return _get_char_value(field) if text == "c" else _get_wchar_value(field)
            return _load(self.type, part, self._index, part._c_addr + offset)
        info = self.type._c_info
        value = _get(_unsigned[info.size], instance._c_addr + self.byte_offset, info.swapped) >> self.bit_offset
        value &= (1 << self.bit_size) - 1
        if info.code in "bhilq" and value >> (self.bit_size - 1):
            value -= 1 << self.bit_size
        return bool(value) if info.code == "?" else value

    def __set__(self, instance, value):
        if not isinstance(instance, _CData):
            raise TypeError("not a ctype instance")
        if not self.is_bitfield:
            part, offset = self._owner(instance) if self._path else (instance, self.byte_offset)
            if (text := _text_kind(self.type)) is not None and not isinstance(value, self.type):
                field = _at(self.type, part._c_addr + offset, None, part, self._index)
                _set_text(field, text, value)
                return
            _store(self.type, part, self._index, part._c_addr + offset, value)
            return
        info = self.type._c_info
        if isinstance(value, _SimpleCData):
            value = value.value
        value = int(bool(value)) if info.code == "?" else _checked("i", value)
        code = _unsigned[info.size]
        address = instance._c_addr + self.byte_offset
        mask = ((1 << self.bit_size) - 1) << self.bit_offset
        before = _get(code, address, info.swapped)
        _put(code, address, before & ~mask | (value << self.bit_offset & mask), info.swapped)

    def __delete__(self, instance):
        raise TypeError("can't delete attribute")

    def __repr__(self):
        if self.is_bitfield:
            what = f"type={self.type.__name__}, ofs={self.byte_offset}, bit_size={self.bit_size}, bit_offset={self.bit_offset}"
        else:
            what = f"type={self.type.__name__}, ofs={self.byte_offset}, size={self.byte_size}"
        return f"<ctypes.CField {self.name!r} {what}>"


def _text_kind(cls):
    """`c` or `u` for arrays of characters, which are text as fields."""
    info = cls._c_info
    if info.kind != "array" or cls.__base__ is not Array:
        return None
    code = info.proto._c_info.code
    return code if code in ("c", "u") else None


def _set_text(field, kind, value):
    length = len(field)
    if kind == "c":
        if not isinstance(value, bytes):
            raise TypeError(f"expected bytes, {_name(value)} found")
        if len(value) > length:
            raise ValueError(f"bytes too long ({len(value)}, maximum length {length})")
        _set_char_value(field, value.partition(b"\0")[0])
    else:
        if not isinstance(value, str):
            raise TypeError(f"unicode string expected instead of {_name(value)} instance")
        if len(value) > length:
            raise ValueError(f"string too long ({len(value)}, maximum length {length})")
        _set_wchar_value(field, value)


_unsigned = {1: "B", 2: "H", 4: "I", 8: "Q"}


def _init_fields(self, *args, **kwargs):
    if not args and not kwargs:
        return
    fields = type(self)._c_info.fields
    if len(args) > len(fields):
        raise TypeError("too many initializers")
    for field, value in zip(fields, args):
        if field.name in kwargs:
            raise TypeError(f"duplicate values for field {field.name!r}")
        setattr(self, field.name, value)
    for name, value in kwargs.items():
        setattr(self, name, value)


class Structure(_CData, metaclass=PyCStructType):
    """Structure base class"""

    __slots__ = ()
    _c_abstract_ = True
    __init__ = _init_fields


class Union(_CData, metaclass=UnionType):
    """Union base class"""

    __slots__ = ()
    _c_abstract_ = True
    __init__ = _init_fields


# --- parameters and functions


class CArgObject:
    """What a parameter has become: a type code and a value, and what must live during the call."""

    __slots__ = ("_tag", "_value", "_obj", "_memory", "_spec")

    def __init__(self, tag, value, obj, memory=None, spec=None):
        self._tag, self._value, self._obj, self._memory = tag, value, obj, memory
        self._spec = spec or tag

    def __repr__(self):
        tag, value = self._tag, self._value
        if tag in "bBhHiIlLqQfdg":
            return f"<cparam '{tag}' ({value})>"
        if tag == "c":
            value = value if isinstance(value, int) else value[0]
            return f"<cparam 'c' ({chr(value)!r})>" if 32 <= value < 127 else f"<cparam 'c' ('\\x{value:02x}')>"
        if tag in "zZP":
            return f"<cparam '{tag}' ({value:#x})>"
        return f"<cparam '{tag}' at {id(self):#x}>"


def byref(obj, offset=0, /):
    """byref(C instance[, offset=0]) -> byref-object
    Return a pointer lookalike to a C instance, only usable
    as function argument"""
    if not isinstance(obj, _CData):
        raise TypeError(f"byref() argument must be a ctypes instance, not '{_name(obj)}'")
    return CArgObject("P", obj._c_addr + offset.__index__(), obj)


def _argument(value, number):
    """Type and value of an argument for the call, and what it needs meanwhile."""
    if isinstance(value, CArgObject):
        return value._spec, value._value, value
    info = _info_of(type(value))
    if info is not None:
        if info.kind == "simple":
            if info.code in "zZP":
                return "P", _get("P", value._c_addr), value
            return info.code, _get(info.code, value._c_addr, info.swapped), value
        if info.kind == "array":
            return "P", value._c_addr, value
        if info.kind in ("pointer", "func"):
            return "P", _get("P", value._c_addr), value
        return _spec(info), value._c_addr, value
    if value is None:
        return "P", 0, None
    if isinstance(value, int):
        if not -0x80000000 <= value <= 0xFFFFFFFF:
            raise OverflowError("int too long to convert")
        return "i", value, None
    if isinstance(value, bytes):
        memory = _copy_of(value + b"\0")
        return "P", memory.address, memory
    if isinstance(value, str):
        memory = _copy_of(_wide(value))
        return "P", memory.address, memory
    if hasattr(value, "_as_parameter_"):
        return _argument(value._as_parameter_, number)
    raise TypeError(f"Don't know how to convert parameter {number}")


class _Native(int):
    """An address that stands for a function of this module."""


def _native(function):
    global _natives
    _natives += 1
    new = _Native(_natives)
    new.function = function
    return new


_natives = 0


def _address_of(value):
    """The address that a parameter of type c_void_p means, and what must live meanwhile."""
    made = _pointer_param(None, "P", value)
    if made is None and isinstance(value, _SimpleCData) and type(value)._c_info.code == "P":
        made = value
    if made is None and hasattr(value, "_as_parameter_"):
        return _address_of(value._as_parameter_)
    if made is None:
        raise ArgumentError("argument 1: TypeError: wrong type")
    _, address, held = _argument(made, 1)
    return address, held


def _cast_to(obj, source, target):
    info = _info_of(target)
    if info is None or not (info.kind in ("pointer", "func") or info.kind == "simple" and info.code in "sPzUZXO"):
        name = target.__name__ if isinstance(target, type) else _name(target)
        raise TypeError(f"cast() argument 2 must be a pointer, not {name}")
    address, held = _address_of(obj)
    result = target.__new__(target) if info.kind != "pointer" or info.proto else _make(target)
    _put("P", result._c_addr, address)
    if isinstance(source, _CData):
        # Both share what they keep.
        root = _root(source)
        if root._c_objects is None or not isinstance(root._c_objects, dict):
            root._c_objects = {} if root._c_objects is None else {id(root._c_objects): root._c_objects} if type(root)._c_info.length else root._c_objects
        result._c_objects = root._c_objects
        if isinstance(result._c_objects, dict):
            result._c_objects[id(source)] = source
        result._c_keep = {"source": source}
    elif held is not None:
        result._c_keep = {"source": held}
    return result


def _string(obj, size=-1):
    address, held = _address_of(obj)
    sys.audit("ctypes.string_at", address, size)
    return _core.string_at(address, size)


def _wstring(obj, size=-1):
    address, held = _address_of(obj)
    sys.audit("ctypes.wstring_at", address, size)
    if size > _MAX // 4:
        raise MemoryError
    return _core.wstring_at(address, size)


def _view(obj, size, readonly=False):
    address, held = _address_of(obj)
    sys.audit("ctypes.memoryview_at", address, size, readonly)
    if size < 0:
        raise ValueError("memoryview_at: size is negative (or overflowed): %d" % size)
    return memoryview(_Memory.at(address, size, held, bool(readonly)))


_memmove_addr, _memset_addr = _MEMMOVE, _MEMSET
_cast_addr = _native(_cast_to)
_string_at_addr = _native(_string)
_wstring_at_addr = _native(_wstring)
_memoryview_at_addr = _native(_view)


class CFuncPtr(_CData, metaclass=PyCFuncPtrType):
    """Function Pointer"""

    __slots__ = ("_f_callback", "_f_native", "_f_argtypes", "_f_converters", "_f_restype", "_f_errcheck", "_f_flags", "__dict__")
    _c_abstract_ = True

    def __new__(cls, *args):
        self = _make(cls)
        self._f_callback = self._f_native = self._f_errcheck = self._f_flags = None
        self._f_argtypes = self._f_converters = self._f_restype = _unset
        if not args:
            return self
        first = args[0]
        if isinstance(first, tuple):
            self._from_library(first, args[1] if len(args) > 1 else None)
        elif isinstance(first, _Native):
            self._f_native = first.function
            _put("P", self._c_addr, int(first))
        elif isinstance(first, int) and len(args) == 1:
            _put("P", self._c_addr, first & _WORD)
        elif callable(first) and len(args) == 1:
            self._f_callback = _callback(cls, first)
            _put("P", self._c_addr, self._f_callback.address)
            _keep(self, 0, first)
        else:
            raise TypeError("argument must be callable or integer function address")
        return self

    def _from_library(self, what, paramflags):
        if len(what) != 2:
            raise TypeError("function takes exactly 2 arguments (%d given)" % len(what))
        name, dll = what
        if isinstance(name, bytes):
            name = name.decode()
        if not isinstance(name, str):
            raise TypeError("function name must be string, bytes object or integer")
        handle = dll._handle
        if not isinstance(handle, int):
            raise TypeError("the _handle attribute of the second argument must be an integer")
        sys.audit("ctypes.dlsym", dll, name)
        address = _core.dlsym(handle, name)
        if address is None:
            raise AttributeError(_core.dlerror())
        if paramflags is not None:
            self._f_flags = _check_paramflags(type(self)._c_info, paramflags)
        _put("P", self._c_addr, address)
        _keep(self, 0, dll)
        self._c_keep = {"dll": dll}

    def __init__(self, *args):
        pass

    @property
    def restype(self):
        """specify the result type"""
        return type(self)._c_info.restype if self._f_restype is _unset else self._f_restype

    @restype.setter
    def restype(self, value):
        if value is not None and not callable(value) and _info_of(value) is None:
            raise TypeError("restype must be a type, a callable, or None")
        self._f_restype = value

    @restype.deleter
    def restype(self):
        self._f_restype = _unset

    @property
    def argtypes(self):
        """specify the argument types"""
        return type(self)._c_info.argtypes if self._f_argtypes is _unset else self._f_argtypes

    @argtypes.setter
    def argtypes(self, value):
        if value is None:
            self._f_argtypes = self._f_converters = None
            return
        value = tuple(value)
        self._f_converters = _converters(value, "item %d in _argtypes_ has no from_param method")
        self._f_argtypes = value

    @argtypes.deleter
    def argtypes(self):
        self._f_argtypes = self._f_converters = _unset

    @property
    def errcheck(self):
        """a function to check for errors"""
        return self._f_errcheck

    @errcheck.setter
    def errcheck(self, value):
        if value is not None and not callable(value):
            raise TypeError("the errcheck attribute must be callable")
        self._f_errcheck = value

    @errcheck.deleter
    def errcheck(self):
        self._f_errcheck = None

    def __bool__(self):
        return _get("P", self._c_addr) != 0

    def __repr__(self):
        return f"<{type(self).__name__} object at {id(self):#x}>"

    def __call__(self, *args, **kwargs):
        info = type(self)._c_info
        native = self._f_native
        if native is not None:
            return native(*args)
        converters = info.converters if self._f_converters is _unset else self._f_converters
        outs = ()
        if self._f_flags is not None:
            args, outs = _arrange(self._f_flags, info.argtypes, args, kwargs)
        given = len(args)
        if converters is not None and given < len(converters):
            need = len(converters)
            raise TypeError(f"this function takes at least {need} argument{'s' if need != 1 else ''} ({given} given)")
        if given > CTYPES_MAX_ARGCOUNT:
            raise ArgumentError(f"too many arguments ({given}), maximum is {CTYPES_MAX_ARGCOUNT}")
        types, values, held = [], [], []
        fixed = len(converters) if converters is not None else 0
        for number, value in enumerate(args):
            try:
                if number < fixed:
                    value = converters[number](value)
                spec, value, needed = _argument(value, number + 1)
            except Exception as e:
                raise ArgumentError(f"argument {number + 1}: {type(e).__name__}: {e}") from None
            types.append(spec)
            values.append(value)
            held.append(needed)
        result = _run(_get("P", self._c_addr), self.restype, types, values, fixed if converters is not None and fixed < given else -1, info.flags)
        del held
        if self._f_errcheck is not None:
            checked = self._f_errcheck(result, self, args)
            if checked is not args or not outs:
                return checked
        if outs:
            made = [out.__ctypes_from_outparam__() for out in outs]
            return made[0] if len(made) == 1 else tuple(made)
        return result


def _run(address, restype, types, values, fixed, flags):
    """Calls a function, and makes its result what the program wants."""
    types, values = tuple(types), tuple(values)
    if restype is None:
        return _core.call(address, "", types, values, fixed, flags, 0)
    info = _info_of(restype)
    if info is None:
        return restype(_core.call(address, "i", types, values, fixed, flags, 0))
    check = getattr(restype, "_check_retval_", None)
    if info.kind == "simple" and restype.__base__ is _SimpleCData:
        result = _core.call(address, info.code, types, values, fixed, flags, 0)
    else:
        result = restype.__new__(restype) if info.kind != "pointer" else _make(restype)
        if info.kind in ("struct", "union"):
            # libffi writes whole words.
            room = _Memory.alloc(max(info.size, 16))
            _core.call(address, _spec(info), types, values, fixed, flags, room.address)
            _core.write(result._c_addr, _core.read(room.address, info.size))
        else:
            code = info.code if info.kind == "simple" and info.code not in "zZ" else "P"
            _put(code, result._c_addr, _core.call(address, code, types, values, fixed, flags, 0))
    return check(result) if check is not None else result


def _check_paramflags(info, paramflags):
    if not isinstance(paramflags, tuple):
        raise TypeError("paramflags must be a tuple or None")
    if info.argtypes is None or len(paramflags) != len(info.argtypes):
        raise ValueError("paramflags must have the same length as argtypes")
    made = []
    for number, item in enumerate(paramflags, 1):
        if not isinstance(item, tuple) or not 1 <= len(item) <= 3 or not isinstance(item[0], int):
            raise TypeError("paramflags must be a sequence of (int [,string [,value]]) tuples")
        flag, name = item[0], item[1] if len(item) > 1 else None
        if name is not None and not isinstance(name, str):
            raise TypeError("paramflags must be a sequence of (int [,string [,value]]) tuples")
        kind = flag & 3
        if kind not in (0, 1, 2, 3):
            raise TypeError(f"paramflag value {flag} not supported")
        argtype = _info_of(info.argtypes[number - 1])
        if kind == 2 and (argtype is None or not (argtype.kind in ("pointer", "array") or argtype.code in tuple("zZP"))):
            raise TypeError(f"'out' parameter {number} must be a pointer type, not {info.argtypes[number - 1].__name__}")
        made.append((flag, name, item[2:]))
    return made


def _arrange(flags, argtypes, args, kwargs):
    """Arguments in the order of the function's parameters, and the instances that results come in."""
    call, outs, used, names = [], [], 0, 0
    for (flag, name, default), argtype in zip(flags, argtypes):
        kind = flag & 3
        if kind == 2 and not default:
            target = argtype._c_info
            made = target.proto() if target.kind == "pointer" else argtype()
            outs.append(made)
            call.append(byref(made) if target.kind == "pointer" else made)
            continue
        if flag & 4 and default and used >= len(args) and name not in kwargs:
            value = default[0]
        elif used < len(args):
            value = args[used]
            used += 1
        elif name is not None and name in kwargs:
            value = kwargs[name]
            names += 1
        elif default:
            value = default[0]
        else:
            if name is not None:
                raise TypeError(f"required argument '{name}' missing")
            raise TypeError("not enough arguments")
        if kind & 2:
            target = argtype._c_info
            if not isinstance(value, _CData):
                value = target.proto(value)
            outs.append(value)
            call.append(byref(value) if target.kind == "pointer" and not isinstance(value, _Pointer) else value)
        else:
            call.append(value)
    if used < len(args) or names < sum(name in kwargs for _, name, _ in flags if name):
        raise TypeError(f"call takes exactly {len(flags) - len(outs)} arguments ({len(args) + len(kwargs)} given)")
    return tuple(call), outs


class _Called:
    """What a callback calls; it is shown as the program's function."""

    __slots__ = ("call", "function")

    def __init__(self, call, function):
        self.call = call
        self.function = function

    def __call__(self, *values):
        return self.call(*values)

    def __repr__(self):
        return repr(self.function)


def _callback(cls, function):
    """Code that calls `function` with the values that a prototype says."""
    info = cls._c_info
    argtypes = info.argtypes
    if argtypes is None:
        raise TypeError("cannot construct instance of this class: no argtypes")
    restype = info.restype
    result = _info_of(restype) if restype is not None else None
    if restype is not None and (result is None or result.kind not in ("simple", "func", "pointer")):
        raise TypeError("invalid result type for callback function")
    infos = [_info_of(argtype) for argtype in argtypes]
    if None in infos:
        raise TypeError("cannot build parameter")

    def convert(argtype, target, value):
        if target.kind == "simple":
            if argtype.__base__ is _SimpleCData:
                return value
            made = _make(argtype)
            _put(target.code if target.code not in "zZ" else "P", made._c_addr, value)
            return made
        made = _make(argtype)
        if target.kind in ("pointer", "func"):
            if target.kind == "func":
                made = argtype(value)
            else:
                _put("P", made._c_addr, value)
        else:
            _core.write(made._c_addr, value)
        return made

    def code_of(argtype, target):
        if target.kind == "simple":
            direct = argtype.__base__ is _SimpleCData
            return target.code if direct or target.code not in "zZ" else "P"
        return _spec(target)

    def called(*values):
        made = [convert(argtype, target, value) for argtype, target, value in zip(argtypes, infos, values)]
        value = function(*made)
        if result is None:
            return None
        if result.kind == "simple" and not isinstance(value, _CData):
            if result.code in "zZP":
                room = _make(restype)
                kept, memory = _store_simple(result, room._c_addr, value)
                if memory is not None:
                    called.last = (room, memory)
                    import warnings

                    warnings.warn("memory leak in callback function.", RuntimeWarning, stacklevel=2)
                return _get("P", room._c_addr)
            if result.code == "O":
                called.last = value
            return _checked(result.code, value)
        if isinstance(value, restype):
            called.last = value
            return _get(result.code if result.kind == "simple" and result.code not in "zZ" else "P", value._c_addr)
        room = _make(restype)
        _store(restype, room, 0, room._c_addr, value)
        called.last = room
        return _get("P", room._c_addr)

    spec = "" if restype is None else "P" if result.kind != "simple" or result.code in "zZ" else result.code
    types = tuple(code_of(argtype, target) for argtype, target in zip(argtypes, infos))
    return _core.Callback(_Called(called, function), spec, types, tuple(target.size for target in infos), info.flags)


# --- functions of the module


def sizeof(obj, /):
    """sizeof(C type) -> integer
    sizeof(C instance) -> integer
    Return the size in bytes of a C instance"""
    info = _info_of(obj)
    if info is not None:
        return info.size
    if isinstance(obj, _CData):
        return type(obj)._c_info.size if obj._c_size is None else obj._c_size
    raise TypeError("this type has no size")


def alignment(obj, /):
    """alignment(C type) -> integer
    alignment(C instance) -> integer
    Return the alignment requirements of a C instance"""
    info = _info_of(obj) or _info_of(type(obj))
    if info is None:
        raise TypeError("no alignment info")
    return info.align


def addressof(obj, /):
    """Return the address of the C instance internal buffer"""
    if not isinstance(obj, _CData):
        raise TypeError("invalid type")
    sys.audit("ctypes.addressof", obj)
    return obj._c_addr


def resize(obj, size, /):
    if not isinstance(obj, _CData):
        raise TypeError("excepted ctypes instance")
    info = type(obj)._c_info
    if size < info.size:
        raise ValueError(f"minimum size is {info.size}")
    if obj._c_base is not None or obj._c_mem is None:
        raise ValueError("Memory cannot be resized because this object doesn't own it")
    memory = _Memory.alloc(size)
    _core.write(memory.address, _core.read(obj._c_addr, min(size, sizeof(obj))))
    # Others may still use the old memory.
    obj._c_keep = {**(obj._c_keep or {}), f"old {obj._c_addr:x}": obj._c_mem}
    obj._c_mem, obj._c_addr, obj._c_size = memory, memory.address, size


def buffer_info(obj, /):
    """Return buffer interface information"""
    info = _info_of(obj) or _info_of(type(obj))
    if info is None:
        raise TypeError("not a ctypes type or object")
    return info.itemformat, len(info.shape), info.shape


def get_errno():
    sys.audit("ctypes.get_errno")
    return _core.get_errno()


def set_errno(value, /):
    sys.audit("ctypes.set_errno", value)
    return _core.set_errno(value)


def dlopen(name, flag=RTLD_LOCAL, /):
    """dlopen(name, flag=RTLD_GLOBAL|RTLD_LOCAL) open a shared library"""
    sys.audit("ctypes.dlopen", name)
    return _core.dlopen(name, flag)


def dlsym(handle, name, /):
    """find symbol in shared library"""
    sys.audit("ctypes.dlsym/handle", handle, name)
    address = _core.dlsym(handle, name)
    if address is None:
        raise OSError(_core.dlerror())
    return address


def call_function(address, args, /):
    sys.audit("ctypes.call_function", address, args)
    types, values, _ = zip(*(_argument(a, i + 1) for i, a in enumerate(args))) if args else ((), (), ())
    return _core.call(address, "i", tuple(types), tuple(values), -1, FUNCFLAG_PYTHONAPI, 0)


call_cdeclfunction = call_function


def PyObj_FromPtr(address, /):
    sys.audit("ctypes.PyObj_FromPtr", address)
    memory = _Memory.alloc(_POINTER_SIZE)
    _put("P", memory.address, address)
    return _get("O", memory.address)
