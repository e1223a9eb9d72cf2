/* What CPython's pyconfig.h says of the platform. Lisle has no C API: this is for programs that read it by sysconfig.parse_config_h(). */
#ifndef Py_PYCONFIG_H
#define Py_PYCONFIG_H

#define HAVE_DYNAMIC_LOADING 1
#define HAVE_FORK 1
#define HAVE_GETRANDOM 1
#define HAVE_LONG_DOUBLE 1
#define PY_COERCE_C_LOCALE 1
#define SIZEOF_DOUBLE 8
#define SIZEOF_FLOAT 4
#define SIZEOF_INT 4
#define SIZEOF_LONG 8
#define SIZEOF_LONG_LONG 8
#define SIZEOF_OFF_T 8
#define SIZEOF_PID_T 4
#define SIZEOF_SHORT 2
#define SIZEOF_SIZE_T 8
#define SIZEOF_TIME_T 8
#define SIZEOF_UINTPTR_T 8
#define SIZEOF_VOID_P 8
#define SIZEOF_WCHAR_T 4
#define SIZEOF__BOOL 1
/* #undef WORDS_BIGENDIAN */

#endif
