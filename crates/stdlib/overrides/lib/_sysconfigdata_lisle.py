"""What `sysconfig` tells of how the interpreter was built.

Lisle is not built by configure and make, and loads no C extensions: the variables here describe the running program, and what
packages ask for that try to build an extension and do without it when there is no Python.h to include.
"""

import sys

build_time_vars = {
    "ABIFLAGS": "",
    "AR": "ar",
    "ARFLAGS": "rcs",
    "BINDIR": f"{sys.base_prefix}/bin",
    "BINLIBDEST": f"{sys.base_prefix}/lib/python3.14",
    "CC": "cc",
    "CCSHARED": "-fPIC",
    "CFLAGS": "",
    "CONFIG_ARGS": "",
    "CPPFLAGS": "",
    "CXX": "c++",
    "EXE": "",
    "EXT_SUFFIX": f".{sys.implementation.cache_tag}-{sys.implementation._multiarch}.so",
    "HAVE_FORK": 1,
    "HAVE_GETRANDOM": 1,
    "INCLUDEPY": f"{sys.base_prefix}/include/python3.14",
    "LDCXXSHARED": "c++ -shared",
    "LDFLAGS": "",
    "LDLIBRARY": "",
    "LDSHARED": "cc -shared",
    "LIBDEST": f"{sys.base_prefix}/lib/python3.14",
    "LIBDIR": f"{sys.base_prefix}/lib",
    "LIBRARY": "",
    "MACHDEP": sys.platform,
    "MULTIARCH": sys.implementation._multiarch,
    "OPT": "",
    "PLATLIBDIR": "lib",
    "Py_DEBUG": 0,
    "Py_ENABLE_SHARED": 0,
    "Py_GIL_DISABLED": int(not sys._is_gil_enabled()),
    "PY_COERCE_C_LOCALE": 1,
    "SHELL": "/bin/sh -e",
    "SHLIB_SUFFIX": ".so",
    "SIZEOF_VOID_P": 8,
    "SOABI": f"{sys.implementation.cache_tag}-{sys.implementation._multiarch}",
    "SRCDIRS": "",
    "TZPATH": "/usr/share/zoneinfo:/usr/lib/zoneinfo:/usr/share/lib/zoneinfo:/etc/zoneinfo",
    "VERSION": "3.14",
    "WITH_DOC_STRINGS": 1,
    "exec_prefix": sys.base_exec_prefix,
    "prefix": sys.base_prefix,
}
