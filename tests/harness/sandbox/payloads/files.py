"""Reading and writing what lies outside."""

from __future__ import annotations

import contextlib
import ctypes
import glob
import os
import stat
import sys

from payloads.attempt import Outside, call, escaped, payload, refused, syscall


def show(path: str) -> None:
    """Prints the beginning of a file, if it can be read: the test knows what must not be in it."""
    with contextlib.suppress(OSError, ValueError):
        held = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe must not keep it
        print(path, os.read(held, 2000))
        os.close(held)


@payload()
def reads_the_secret(out: Outside) -> None:
    for path in (
        out.secret,
        "/" + "../" * 30 + out.secret,
        "/proc/1/root" + out.secret,
        "/proc/self/root" + out.secret,
    ):
        show(path)
    for path in (
        "/proc/1/cwd/../" + out.secret,
        "/proc/self/cwd/../../../../.." + out.secret,
        "/dev/fd/0/../" + out.secret,
    ):
        show(path)


@payload()
def reads_people(out: Outside) -> None:
    for path in (
        "/etc/shadow",
        "/etc/passwd",
        "/etc/hosts",
        "/etc/ssl/private",
        os.path.join("/root", ".ssh", "id_rsa"),
        os.path.join("/root", ".bash_history"),
    ):
        refused(path, lambda path=path: _large(path))
    for folder in ("/home", "/root", "/mnt", "/srv", "/var", "/run", "/boot", "/media"):
        refused(folder, lambda folder=folder: _listing(folder))


def _large(path: str) -> str:
    """What the machine's own file holds; the few lines that an engine writes for a container are not it."""
    with open(path) as file:
        text = file.read()
    if len(text) < 400:
        raise OSError("small")
    return text[:50]


def _listing(folder: str) -> list[str]:
    names = os.listdir(folder)
    if not names:
        raise OSError("empty")
    return names


@payload()
def reads_processes(out: Outside) -> None:
    for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/maps"):
        show(path)
    for path in glob.glob("/proc/[0-9]*/fd/*") + glob.glob("/proc/[0-9]*/task/*/fd/*"):
        show(path)
    if os.path.exists(f"/proc/{out.victim}") and out.victim > 1000:
        escaped("a process outside is seen")


@payload()
def reads_the_kernel(out: Outside) -> None:
    for path in (
        "/proc/kcore",
        "/dev/mem",
        "/dev/kmem",
        "/dev/kmsg",
        "/dev/port",
        "/dev/vda",
        "/dev/sda",
        "/dev/nvme0n1",
    ):
        refused(path, lambda path=path: open(path, "rb").read(1))
    for path in (
        "/proc/sysrq-trigger",
        "/proc/sys/kernel/core_pattern",
        "/sys/kernel/uevent_helper",
        "/proc/kallsyms_",
    ):
        refused(path, lambda path=path: open(path, "w").write("x"))
    call("syslog", 103, 116, 3, ctypes.create_string_buffer(4096), 4096)


@payload()
def inherited_descriptors(out: Outside) -> None:
    """Whatever was open when the program began."""
    for number in range(3, 256):
        with contextlib.suppress(OSError):
            info = os.fstat(number)
            kind = "folder" if stat.S_ISDIR(info.st_mode) else "file" if stat.S_ISREG(info.st_mode) else "other"
            escaped(f"descriptor {number}, a {kind}")
    for number in (0, 1, 2):
        with contextlib.suppress(OSError):
            if stat.S_ISDIR(os.fstat(number).st_mode):
                print(os.listdir(number))


@payload()
def writes_the_note(out: Outside) -> None:
    for path in (out.note, f"{out.folder}/new", "/proc/1/root" + out.note, "/" + "../" * 30 + out.note):
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write("was here")


@payload()
def writes_everywhere(out: Outside) -> None:
    """A file in every folder that there is; only the scratch folder may take it."""
    for folder, names, _ in os.walk("/"):
        if folder in ("/proc", "/sys"):
            names.clear()
            continue
        if folder.startswith("/work"):
            continue
        with contextlib.suppress(OSError):
            with open(os.path.join(folder, "was-here"), "w"):
                pass
            if not os.path.realpath(folder).startswith("/work"):
                escaped(f"wrote in {folder}")


@payload()
def changes_the_interpreter(out: Outside) -> None:
    """What the next program would run: the standard library, the packages, a .pth beside them."""
    for folder in sys.path:
        for name in ("os.py", "evil.pth", "sitecustomize.py", "numpy/__init__.py", "__pycache__/os.cpython-311.pyc"):
            refused(
                f"{folder}/{name}",
                lambda folder=folder, name=name: _outside_work(folder) and open(f"{folder}/{name}", "ab"),
            )
    for path in (sys.executable, os.path.realpath(sys.executable), os.__file__):
        refused(path, lambda path=path: os.chmod(path, 0o777))
        refused(path, lambda path=path: os.rename(path, path + "x"))
        refused(path, lambda path=path: os.unlink(path))


def _outside_work(folder: str) -> bool:
    if os.path.realpath(folder or ".").startswith("/work"):
        raise OSError
    return True


@payload()
def links_to_the_secret(out: Outside) -> None:
    """Whoever collects the results may follow."""
    for name, target in (
        ("secret.txt", out.secret),
        ("folder", out.folder),
        ("root", "/"),
        ("up", "../../../../../../" + out.secret),
        ("proc", "/proc/self/environ"),
        ("host", "/proc/1/root" + out.secret),
    ):
        os.symlink(target, name)
    os.mkdir("inner")
    os.symlink(out.secret, "inner/deep.txt")
    os.symlink("inner", "again")


@payload()
def links_over_given_files(out: Outside) -> None:
    """A file that was given becomes a link of the same name."""
    os.unlink("given.txt")
    os.symlink(out.secret, "given.txt")
    os.rename("given", "was")
    os.symlink(out.folder, "given")


@payload()
def hard_links(out: Outside) -> None:
    for path in (out.secret, out.note, "/etc/ld.so.cache", os.path.realpath(sys.executable), os.__file__):
        refused(f"hard link to {path}", lambda path=path: os.link(path, "hard"))
        refused(f"move of {path}", lambda path=path: os.rename(path, "moved"))
    call("linkat by descriptor", 265, 37, 0, b"", -100, b"hard2", 0x1000)


@payload()
def swaps_a_link_in_time(out: Outside) -> None:
    """A file that is a link every other moment, kept moving by a process that stays."""
    if os.fork() == 0:
        os.setsid()
        for _ in range(2_000_000):
            with contextlib.suppress(OSError):
                with open("swap", "w") as file:
                    file.write("plain")
                os.unlink("swap")
                os.symlink(out.secret, "swap")
                os.unlink("swap")
                os.mkdir("way")
                os.rmdir("way")
                os.symlink(out.folder, "way")
                os.unlink("way")
        os._exit(0)


@payload()
def makes_devices(out: Outside) -> None:
    refused("a disk", lambda: os.mknod("disk", stat.S_IFBLK | 0o666, os.makedev(8, 0)))
    refused("memory", lambda: os.mknod("mem", stat.S_IFCHR | 0o666, os.makedev(1, 1)))
    refused("a pipe that blocks whoever opens it", lambda: os.mkfifo("pipe"))


@payload()
def by_handle(out: Outside) -> None:
    """A file by its number in the file system, past every path."""
    handle = ctypes.create_string_buffer(b"\x08\0\0\0\x01\0\0\0\x02\0\0\0\0\0\0\0", 136)
    call("name_to_handle_at", 303, 264, -100, b"/", handle, ctypes.byref(ctypes.c_int()), 0)
    call("open_by_handle_at", 304, 265, 0, handle, 0)
    call("openat2", 437, 437, -100, out.secret.encode(), ctypes.create_string_buffer(24), 24)


@payload()
def changes_root(out: Outside) -> None:
    """The old way out: a folder held open, a new root, and up."""
    held = os.open(".", os.O_RDONLY)
    os.mkdir("cage")
    refused("chroot", lambda: os.chroot("cage"))
    os.fchdir(held)
    for _ in range(50):
        os.chdir("..")
    show("." + out.secret)
    call("pivot_root", 155, 41, b".", b".")


@payload()
def mounts(out: Outside) -> None:
    call("mount a disk", 165, 40, b"/dev/vda", b"/work", b"ext4", 0, 0)
    call("mount proc", 165, 40, b"proc", b"/work", b"proc", 0, 0)
    call("bind", 165, 40, b"/", b"/work", b"", 0x1000, 0)
    call("writable again", 165, 40, b"", b"/", b"", 0x20 | 0x1000, 0)
    call("umount", 166, 39, b"/work", 2)
    call("open_tree", 428, 428, -100, b"/", 1)
    call("fsopen", 430, 430, b"proc", 0)
    call("move_mount", 429, 429, -100, b"/", -100, b"/work", 0)
    call("mount_setattr", 442, 442, -100, b"/", 0, ctypes.create_string_buffer(32), 32)


@payload()
def runs_its_own_binary(out: Outside) -> None:
    """A binary of its own making, with the bit that gives the owner's rights."""
    with open(os.path.realpath(sys.executable), "rb") as source, open("own", "wb") as copy:
        copy.write(source.read())
    os.chmod("own", 0o6755)
    if os.fork() == 0:
        with contextlib.suppress(OSError):
            os.execv("./own", ["own", "-I", "-S", "-c", "print('ESCAPED runs what it wrote')"])
        os._exit(0)
    os.wait()
    os.chdir("/tmp")
    modules = glob.glob(f"{os.path.dirname(os.__file__)}/lib-dynload/_json*.so")
    with open(modules[0], "rb") as source, open("library.so", "wb") as copy:
        copy.write(source.read())
    refused("a library of its own", lambda: ctypes.CDLL("/tmp/library.so"))


@payload()
def set_user_id_programs(out: Outside) -> None:
    """Programs of the machine that run with their owner's rights."""
    for folder, names, files in os.walk("/"):
        if folder in ("/proc", "/sys", "/work"):
            names.clear()
            continue
        for name in files:
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                mode = os.lstat(path).st_mode
                if stat.S_ISREG(mode) and mode & stat.S_ISUID and not os.statvfs(path).f_flag & os.ST_NOSUID:
                    if _no_new_rights():
                        continue
                    escaped(path)


def _no_new_rights() -> bool:
    """Whether the kernel has been told that exec gives no rights (PR_GET_NO_NEW_PRIVS)."""
    return syscall({"x86_64": 157}.get(os.uname().machine, 167), 39, 0, 0, 0, 0) == 1


@payload()
def watches_files(out: Outside) -> None:
    call("inotify_init1", 294, 26, 0)
    call("fanotify_init", 300, 262, 0, 0)
