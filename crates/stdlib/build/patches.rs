//! Small changes to files of the library that were fitted to another runtime, or that must say where Lisle differs.
//!
//! A patch must find its text exactly once, so that a new version of the library cannot lose one unnoticed.

/// File, text, what it becomes.
pub const PATCHES: &[(&str, &str, &str)] = &[
    (
        "site.py",
        "return 'RustPython' # XXX: RUSTPYTHON; for site-packages",
        "return 'Python'",
    ),
    ("site.py", "    # XXX: RUSTPYTHON\n", ""),
    ("site.py", "/lib/rustpython{version[0]}", "/lib/python{version[0]}"),
    (
        "sysconfig/__init__.py",
        "return 'RustPython'  # XXX: RUSTPYTHON; For site-packages",
        "return 'Python'",
    ),
    (
        "sysconfig/__init__.py",
        "        f'_sysconfigdata_{sys.abiflags}_{sys.platform}_{multiarch}',\n",
        "        '_sysconfigdata_lisle',\n",
    ),
    (
        "sysconfig/__init__.py",
        "        inc_dir = get_path('platinclude')\n",
        "        inc_dir = os.path.dirname(os.__file__)\n",
    ),
    (
        "platform.py",
        "if \"RustPython\" in sys_version:",
        "if \"Lisle\" in sys_version:",
    ),
    ("platform.py", "name = \"RustPython\"", "name = \"Lisle\""),
    (
        "importlib/_bootstrap_external.py",
        "            _imp._fix_co_filename(code, source_path)\n",
        "            code = _imp._fix_co_filename(code, source_path)\n",
    ),
    ("platform.py", "        # XXX: RUSTPYTHON support\n", ""),
    // Futures have a native base; see `futures.rs`. The lines keep their numbers.
    (
        "concurrent/futures/_base.py",
        "import collections\nimport logging\n",
        "import collections, _lisle_futures\nimport logging\n",
    ),
    (
        "concurrent/futures/_base.py",
        "class Future(object):\n",
        "class Future(_lisle_futures.Future):\n",
    ),
    (
        "concurrent/futures/_base.py",
        "\nclass Executor(object):\n",
        "_lisle_futures.settle(Future)\nclass Executor(object):\n",
    ),
    // `dis` shows Lisle's own instructions, by their own names. Those that mean the same as one of CPython's keep its number.
    (
        "dis.py",
        "from _opcode import get_executor\n",
        "from _opcode import get_executor, get_native_names\n",
    ),
    (
        "dis.py",
        "def _get_code_array(co, adaptive):\n    if adaptive:\n",
        concat!(
            "_shared = {'LOAD_GLOBAL', 'STORE_GLOBAL', 'DELETE_GLOBAL', 'LOAD_NAME', 'STORE_NAME', 'DELETE_NAME',\n",
            "           'IMPORT_NAME', 'LOAD_CONST'}\n",
            "_native_numbers = {}\n",
            "for _name in get_native_names():\n",
            "    _native_numbers[_name] = opmap[_name] if _name in _shared else len(_all_opname)\n",
            "    if _name not in _shared:\n",
            "        _all_opname.append(_name)\n",
            "del _name\n\n",
            "class _NativeCode(bytes):\n",
            "    def __new__(cls, co):\n",
            "        self = super().__new__(cls, co.co_code)\n",
            "        self.rows = co._instructions()\n",
            "        return self\n\n",
            "def _native_instructions(code, linestarts, line_offset, co_positions, arg_resolver):\n",
            "    places = list(co_positions or ())\n",
            "    line_number = None\n",
            "    for offset, name, arg, argval, argrepr, target in code.rows:\n",
            "        starts_line = linestarts is not None and offset in linestarts\n",
            "        if starts_line:\n",
            "            line_number = linestarts[offset]\n",
            "        if target is not None:\n",
            "            argval = target\n",
            "            to = arg_resolver.get_label_for_offset(target) if arg_resolver else None\n",
            "            if to is not None:\n",
            "                argrepr = argrepr.replace(f'-> {target // 2}', f'to L{to}')\n",
            "        elif name == 'LOAD_CONST':\n",
            "            argrepr = f'{argrepr.partition(\",\")[0]}, {argval!r}'\n",
            "        label = arg_resolver.get_label_for_offset(offset) if arg_resolver else None\n",
            "        yield Instruction(name, _native_numbers[name], arg, argval, argrepr, offset, offset, starts_line,\n",
            "                          None if line_number is None else line_number + line_offset, label,\n",
            "                          Positions(*(places[offset // 2] if offset // 2 < len(places) else ())))\n\n",
            "def _get_code_array(co, adaptive):\n",
            "    if hasattr(co, '_instructions'):\n",
            "        return _NativeCode(co)\n",
            "    if adaptive:\n",
        ),
    ),
    (
        "dis.py",
        "    # Use the basic, unadaptive code for finding labels and actually walking the\n",
        "    if isinstance(code, _NativeCode):\n        yield from _native_instructions(code, linestarts, line_offset, co_positions, arg_resolver)\n        return\n    # Use the basic, unadaptive code for finding labels and actually walking the\n",
    ),
    (
        "dis.py",
        "    original_code = co.co_code\n    arg_resolver",
        "    original_code = _get_code_array(co, adaptive)\n    arg_resolver",
    ),
    (
        "dis.py",
        "        original_code = co.co_code\n        labels_map",
        "        original_code = _get_code_array(co, self.adaptive)\n        labels_map",
    ),
    (
        "dis.py",
        "_make_labels_map(co.co_code, exception_entries=exception_entries)",
        "_make_labels_map(_get_code_array(co, adaptive), exception_entries=exception_entries)",
    ),
    (
        "dis.py",
        "_make_labels_map(co.co_code, self.exception_entries)",
        "_make_labels_map(code, self.exception_entries)",
    ),
    ("dis.py", "iter(code.co_exceptiontable)", "iter(code._handlers())"),
    (
        "dis.py",
        "    labels = []\n    for offset, _, op, arg in _unpack_opargs(code):\n",
        "    if isinstance(code, _NativeCode):\n        return list(dict.fromkeys(row[-1] for row in code.rows if row[-1] is not None))\n    labels = []\n    for offset, _, op, arg in _unpack_opargs(code):\n",
    ),
    (
        "dis.py",
        "    IMPORT_NAME = opmap['IMPORT_NAME']\n\n    consts = co.co_consts\n",
        concat!(
            "    if hasattr(co, '_instructions'):\n",
            "        rows = [(name, argval) for _, name, _, argval, _, _ in co._instructions()]\n",
            "        for (_, level), (_, fromlist), (name, module) in zip(rows, rows[1:], rows[2:]):\n",
            "            if name == 'IMPORT_NAME':\n",
            "                yield (module, level, fromlist)\n",
            "        return\n\n",
            "    IMPORT_NAME = opmap['IMPORT_NAME']\n\n    consts = co.co_consts\n",
        ),
    ),
    (
        "dis.py",
        "    STORE_OPS = {\n        opmap['STORE_NAME'],\n",
        concat!(
            "    if hasattr(co, '_instructions'):\n",
            "        for _, name, _, argval, _, _ in co._instructions():\n",
            "            if name in ('STORE_NAME', 'STORE_GLOBAL'):\n",
            "                yield argval\n",
            "        return\n\n",
            "    STORE_OPS = {\n        opmap['STORE_NAME'],\n",
        ),
    ),
    // A program that is given with -c has lines.
    (
        "linecache.py",
        "        key = _make_key(code)\n        _interactive_cache[key] = entry\n",
        "        key = _make_key(code)\n        _interactive_cache[key] = entry\n\n\nimport _lisle_program\n_lisle_program.register_text(_register_code)\ndel _lisle_program\n",
    ),
    // A file of the packed library has lines, whoever asks for them.
    (
        "linecache.py",
        "        if os.path.isabs(filename):\n            return []\n",
        concat!(
            "        if os.path.isabs(filename):\n",
            "            from _lisle_importer import LOADER\n",
            "            try:\n",
            "                data = LOADER.get_data(filename)\n",
            "                lines = [line + '\\n' for line in data.decode().splitlines()]\n",
            "            except (OSError, UnicodeDecodeError):\n",
            "                return []\n",
            "            cache[filename] = len(data), None, lines, filename\n",
            "            return lines\n",
        ),
    ),
    // A C extension that the search passed by is named, rather than told to be missing.
    (
        "importlib/_bootstrap.py",
        "        raise ModuleNotFoundError(f'{_ERR_MSG_PREFIX}{name!r}', name=name)\n",
        "        extension = _passed_extension(name, path)\n        if extension is not None:\n            message = f'{extension}: Lisle cannot load C extension modules'\n            raise ImportError(message, name=name, path=extension)\n        raise ModuleNotFoundError(f'{_ERR_MSG_PREFIX}{name!r}', name=name)\n",
    ),
    (
        "importlib/_bootstrap.py",
        "_ERR_MSG_PREFIX = 'No module named '\n",
        concat!(
            "_ERR_MSG_PREFIX = 'No module named '\n\n",
            "def _passed_extension(name, path):\n",
            "    stem = name.rpartition('.')[2]\n",
            "    starts = f'{stem}.so', f'{stem}.abi3', f'{stem}.cpython-'\n",
            "    for entry in sys.path if path is None else path:\n",
            "        finder = sys.path_importer_cache.get(entry)\n",
            "        for file in getattr(finder, '_path_cache', ()):\n",
            "            if file.startswith(starts) and file.endswith('.so'):\n",
            "                return f'{finder.path}/{file}'\n",
            "    return None\n",
        ),
    ),
    // Files of the packed library keep their names as parts of their folder, which is unpacked for these two.
    (
        "ensurepip/__init__.py",
        "from contextlib import nullcontext\n",
        "from contextlib import contextmanager, nullcontext\n",
    ),
    (
        "ensurepip/__init__.py",
        "    return resources.as_file(\n        resources.files('ensurepip')\n        / '_bundled'\n        / f'pip-{_PIP_VERSION}-py3-none-any.whl'\n    )\n",
        "    @contextmanager\n    def unpacked():\n        with resources.as_file(resources.files('ensurepip') / '_bundled') as folder:\n            yield folder / f'pip-{_PIP_VERSION}-py3-none-any.whl'\n\n    return unpacked()\n",
    ),
    (
        "venv/__init__.py",
        "        self.install_scripts(context, path)\n",
        "        from importlib import resources\n        with resources.as_file(resources.files('venv') / 'scripts') as path:\n            self.install_scripts(context, os.fspath(path))\n",
    ),
];

/// Applies the patches of `path`; gives how many there were.
pub fn apply(path: &str, bytes: &mut Vec<u8>) -> usize {
    let mut count = 0;
    for (_, from, to) in PATCHES.iter().filter(|(file, ..)| *file == path) {
        let text = String::from_utf8(std::mem::take(bytes)).expect("library files are UTF-8");
        assert_eq!(text.matches(from).count(), 1, "{path} must hold once: {from}");
        *bytes = text.replace(from, to).into_bytes();
        count += 1;
    }
    count
}
