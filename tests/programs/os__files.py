"""Files and directories by way of `os`: descriptors, paths of all kinds, errors with names."""
import errno
import os
import stat
import tempfile


def shown(f, *args, **kwargs):
    try:
        print(f.__name__, f(*args, **kwargs))
    except Exception as e:
        print(f.__name__, type(e).__name__, str(e).replace(root, "ROOT"))


with tempfile.TemporaryDirectory() as root:
    os.chdir(root)
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o644)
    print(os.write(fd, b"hello world"), os.lseek(fd, 0, 0), os.read(fd, 5), os.pread(fd, 3, 6), os.pwrite(fd, b"W", 6))
    print(os.get_inheritable(fd), os.isatty(fd), os.fstat(fd).st_size)
    os.ftruncate(fd, 8)
    b = bytearray(4)
    print(os.preadv(fd, [b], 0), b, os.writev(fd, [b"x", bytearray(b"y"), memoryview(b"z")]))
    os.close(fd)
    shown(os.close, fd)
    os.mkdir("d")
    os.symlink("a", "l")
    os.link("a", "d/h")
    print(sorted(os.listdir()), sorted(os.listdir(b".")), sorted(os.listdir("d")))
    with os.scandir() as it:
        for e in sorted(it, key=lambda e: e.name):
            print(e, e.path, e.is_dir(), e.is_file(), e.is_symlink(), e.is_file(follow_symlinks=False), e.inode() == e.stat(follow_symlinks=False).st_ino)
    print(os.readlink("l"), os.readlink(b"l"), os.path.samefile("a", "d/h"), stat.filemode(os.lstat("l").st_mode))
    d = os.open("d", os.O_RDONLY)
    print(os.listdir(d), os.stat("h", dir_fd=d).st_nlink)
    os.rename("h", "i", src_dir_fd=d, dst_dir_fd=d)
    os.unlink("i", dir_fd=d)
    os.close(d)
    os.chmod("a", 0o600)
    os.utime("a", (1, 2))
    st = os.stat("a")
    print(oct(st.st_mode), st.st_atime, st.st_mtime_ns, st[7:9], len(st), st.n_fields >= 19)
    os.utime("a", ns=(5_000_000_001, -1))
    print(os.stat("a").st_atime_ns, os.stat("a").st_mtime_ns)
    print(os.access("a", os.R_OK), os.access("nope", os.F_OK))
    os.replace("a", "b")
    os.rmdir("d")
    shown(os.rmdir, "d")
    shown(os.stat, "nope")
    shown(os.stat, b"nope")
    shown(os.rename, "nope", "x")
    shown(os.symlink, "x", "b")
    shown(os.mkdir, root)
    shown(os.listdir, "b")
    shown(os.open, "nope", os.O_RDONLY)
    shown(os.stat, "a\0b")
    shown(os.stat, 1.5)
    shown(os.listdir, 1.5)
    shown(os.replace, None, "x")
    shown(os.stat, 1, follow_symlinks=False)
    shown(os.stat, 1, dir_fd=1)
    shown(os.chown, "b", "x", 1)
    shown(os.utime, "b", 5)
    shown(os.utime, "b", (1, 2), ns=(1, 2))
    shown(os.fsync, "x")
    shown(os.read, 0, -1)
    shown(os.truncate, 10**10, 1)
    print(os.path.exists("l"), os.path.lexists("l"))
    for name in ("\udcff\udcfe", "é", "日本"):
        open(name, "w").close()
    print(sorted(os.listdir(b"."))[2:], sorted(map(ascii, os.listdir()))[:3])
    print(os.fsencode("\udcff"), ascii(os.fsdecode(b"\xff\xc3\xa9")))
    os.makedirs("x/y/z", exist_ok=True)
    for path, dirs, files in os.walk("x"):
        print(path, dirs, files)
    os.removedirs("x/y/z")
    print(os.getcwd() == os.path.realpath(root), os.getcwdb() == os.fsencode(os.path.realpath(root)))
    os.chdir("/")

for p in ["", ".", "/", "//", "///", "a/../..", "../a", "/..", "a//b/./c/..", "//x/.."]:
    print(repr(os.path.normpath(p)), os.path.splitroot(p), os.path.normpath(p.encode()))


class P:
    def __init__(self, v):
        self.v = v

    def __fspath__(self):
        return self.v


print(os.fspath(P("a")), os.path.join(P(b"a"), b"b"))
shown.__globals__["root"] = "ROOT"
shown(os.fspath, P(3))
shown(os.fspath, 3)
r, w = os.pipe()
print(os.get_blocking(r), os.set_blocking(r, False))
try:
    os.read(r, 1)
except BlockingIOError as e:
    print(e.errno == errno.EAGAIN)
os.close(w)
print(os.read(r, 1))
print(os.strerror(2), os.waitstatus_to_exitcode(256), os.stat_result(range(10)).st_mtime, os.terminal_size((1, 2)))
print(len(os.urandom(7)), len(os.getrandom(3)), os.umask(os.umask(0o22)) == 0o22)
