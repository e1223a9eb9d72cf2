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
    // Code shows CPython's instructions without their caches; the upper byte of a large operand is in the word behind (`types/code_shown.rs`).
    (
        "dis.py",
        "    return _inline_cache_entries.get(opname, 0)\n",
        "    return 0\n",
    ),
    (
        "dis.py",
        "        op = code[i]\n        deop = _deoptop(op)\n        caches = _get_cache_size(_all_opname[deop])\n        if deop in hasarg:\n            arg = code[i+1] | extended_arg\n",
        "        op = code[i]\n        if op == CACHE:\n            continue\n        deop = _deoptop(op)\n        if deop in hasarg:\n            arg = code[i+1] | extended_arg\n            if i + 3 < len(code) and code[i+2] == CACHE:\n                arg |= code[i+3] << 8\n",
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
