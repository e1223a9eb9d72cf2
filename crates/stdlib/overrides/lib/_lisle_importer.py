"""The importer of the packed standard library.

The library lies in the executable, but looks like a folder on sys.path that only
the hook below knows: so a program's own modules and those of PYTHONPATH come
before it exactly as they do with a library on disk.
"""

import sys

import _frozen_importlib as _bootstrap
import _imp
import _lisle_library

ROOT = _lisle_library.ROOT


class LibraryLoader:
    """Loads modules of the library. One instance serves all of them; another,
    with a name of its own, serves a module that is imported under another name."""

    def __init__(self, name=None):
        self._name = name

    def __repr__(self):
        return f'<{type(self).__name__}>' if self._name is None else f'<{type(self).__name__} {self._name!r}>'

    def create_module(self, spec):
        """Use default semantics for module creation."""

    def exec_module(self, module):
        code = self.get_code(module.__spec__.name)
        # Nothing is cached, and modules that `import` loads have no such name either.
        module.__dict__.pop('__cached__', None)
        _bootstrap._call_with_frames_removed(exec, code, module.__dict__)

    def load_module(self, fullname):
        """Load a module. Deprecated: use exec_module()."""
        return _bootstrap._load_module_shim(self, fullname)

    def _find(self, fullname):
        found = _lisle_library.find(self._name or fullname)
        if found is None:
            raise ImportError(f'no module {fullname!r} in the library', name=fullname)
        return found

    def is_package(self, fullname):
        return self._find(fullname)[0]

    def get_filename(self, fullname):
        return self._find(fullname)[1]

    def get_code(self, fullname):
        return _lisle_library.code(self._name or fullname)

    def get_source(self, fullname):
        return _lisle_library.source(self._name or fullname)

    def get_data(self, path):
        data = None
        if path.startswith(ROOT + '/'):
            data = _lisle_library.data(path[len(ROOT) + 1:])
        if data is None:
            raise FileNotFoundError(2, 'No such file or directory', path)
        return data

    def get_resource_reader(self, fullname):
        is_package, filename = self._find(fullname)
        if not is_package:
            return None
        from _lisle_resources import LibraryReader
        return LibraryReader(filename.rpartition('/')[0])


LOADER = LibraryLoader()


class LibraryFinder:
    """Finds the modules in one folder of the library."""

    def __init__(self, path):
        if path != ROOT and not path.startswith(ROOT + '/'):
            raise ImportError('not a folder of the library', path=path)
        self.path = path
        inner = path[len(ROOT) + 1:].rstrip('/')
        self._prefix = inner.replace('/', '.') + '.' if inner else ''

    def __repr__(self):
        return f'{type(self).__name__}({self.path!r})'

    def find_spec(self, fullname, target=None):
        name = self._prefix + fullname.rpartition('.')[2]
        found = _lisle_library.find(name)
        if found is None:
            return None
        is_package, filename = found
        loader = LOADER if name == fullname else LibraryLoader(name)
        spec = _bootstrap.ModuleSpec(fullname, loader, origin=filename)
        spec._set_fileattr = True
        if is_package:
            spec.submodule_search_locations = [filename.rpartition('/')[0]]
        return spec

    def invalidate_caches(self):
        """Nothing is cached."""

    def iter_modules(self, prefix=''):
        """Name and kind of each module in the folder, for pkgutil."""
        inner = self._prefix.replace('.', '/')
        seen = set()
        for path in _lisle_library.files():
            if not path.startswith(inner):
                continue
            first, _, rest = path[len(inner):].partition('/')
            if rest == '__init__.py':
                name, is_package = first, True
            elif not rest and first.endswith('.py') and first != '__init__.py':
                name, is_package = first[:-3], False
            else:
                continue
            if name not in seen:
                seen.add(name)
                yield prefix + name, is_package


def _zip_hook(path):
    """Stands in for zipimport.zipimporter until an archive is on the path, which
    spares every start its import."""
    import posix
    archive = path
    while archive:
        try:
            mode = posix.stat(archive).st_mode
        except (OSError, ValueError):
            archive = archive.rpartition('/')[0]
            continue
        if mode & 0o170000 == 0o100000:
            from zipimport import zipimporter
            hooks = sys.path_hooks
            if _zip_hook in hooks:
                hooks[hooks.index(_zip_hook)] = zipimporter
            return zipimporter(path)
        break
    raise ImportError('not a Zip file', path=path)


def _find_before_path(original):
    """Some modules are frozen in CPython, so that no file on the path takes their
    places. Here they come from the library, but are found as early."""
    def find_spec(cls, fullname, path=None, target=None):
        spec = original(fullname, path, target)
        if spec is None and _imp._is_before_path(fullname):
            folder = ROOT if path is None else f"{ROOT}/{fullname.rpartition('.')[0]}"
            spec = LibraryFinder(folder).find_spec(fullname)
        return spec
    return classmethod(find_spec)


def install():
    """Put the hooks in place."""
    finder = _bootstrap.FrozenImporter
    finder.find_spec = _find_before_path(finder.find_spec)
    sys.path_hooks[:0] = [LibraryFinder, _zip_hook]
    # This module was made without an importer.
    spec = LibraryFinder(ROOT).find_spec(__name__)
    _bootstrap._init_module_attrs(spec, sys.modules[__name__])
