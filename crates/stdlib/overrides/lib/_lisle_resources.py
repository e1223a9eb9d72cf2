"""importlib.resources for packages of the packed standard library."""

import io

import _lisle_library
from importlib.resources.abc import Traversable, TraversableResources

ROOT = _lisle_library.ROOT


class LibraryPath(Traversable):
    """A file or folder of the library."""

    def __init__(self, path):
        self._path = path

    def __repr__(self):
        return f'{type(self).__name__}({self._path!r})'

    def __str__(self):
        return self._path

    @property
    def name(self):
        return self._path.rpartition('/')[2]

    @property
    def _inner(self):
        return self._path[len(ROOT) + 1:]

    def _below(self):
        prefix = self._inner + '/' if self._inner else ''
        for path in _lisle_library.files():
            if path.startswith(prefix):
                yield path[len(prefix):]

    def iterdir(self):
        names = dict.fromkeys(path.partition('/')[0] for path in self._below())
        for name in names:
            yield LibraryPath(f'{self._path}/{name}')

    def is_dir(self):
        return any(True for _ in self._below())

    def is_file(self):
        return _lisle_library.data(self._inner) is not None

    def joinpath(self, *descendants):
        parts = [self._path]
        for descendant in descendants:
            parts.extend(part for part in str(descendant).split('/') if part not in ('', '.'))
        return LibraryPath('/'.join(parts))

    __truediv__ = joinpath

    def open(self, mode='r', *args, **kwargs):
        data = self.read_bytes()
        stream = io.BytesIO(data)
        if 'b' in mode:
            return stream
        return io.TextIOWrapper(stream, *args, **kwargs)

    def read_bytes(self):
        data = _lisle_library.data(self._inner)
        if data is None:
            raise FileNotFoundError(2, 'No such file or directory', self._path)
        return data

    def read_text(self, encoding=None, errors=None):
        return self.read_bytes().decode(encoding or 'utf-8', errors or 'strict')


class LibraryReader(TraversableResources):
    """The resources of one package."""

    def __init__(self, folder):
        self._folder = folder

    def files(self):
        return LibraryPath(self._folder)
