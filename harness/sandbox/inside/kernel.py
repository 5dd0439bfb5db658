"""System calls that Python does not offer, by number; the newer ones have one number on every machine.

Each raises OSError with what was attempted. Constants are from linux/mount.h, sched.h, prctl.h and landlock.h.
"""

from __future__ import annotations

import ctypes
import os
import struct

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x20000, 0x02000000, 0x04000000
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x08000000, 0x10000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 0x40000
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC = 0x1, 0x2, 0x4, 0x8
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 36, 24, 38

_AT_FDCWD, _AT_RECURSIVE, _AT_EMPTY_PATH = -100, 0x8000, 0x1000
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC, _MOVE_EMPTY_PATH = 1, os.O_CLOEXEC, 4
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def unshare(flags: int) -> None:
    _done(_libc.unshare(flags), "to take namespaces of its own")


def name_host(name: str) -> None:
    """In a namespace of names."""
    _done(_libc.sethostname(name.encode(), len(name)), "to name the host")


def prctl(option: int, value: int) -> None:
    _done(_libc.prctl(option, value, 0, 0, 0), f"process option {option}")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    done = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    _done(done, f"to mount {kind or source} on {target}")


def unmount(target: str) -> None:
    _done(_libc.umount2(target.encode(), MNT_DETACH), f"to unmount {target}")


def clone_tree(source: str, attributes: int) -> int:
    """A descriptor of a copy of the mounts at `source`, all with `attributes` added. Needs Linux 5.12."""
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | _AT_RECURSIVE
    tree = int(_libc.syscall(_OPEN_TREE, _AT_FDCWD, source.encode(), flags))
    _done(tree, f"to copy the mounts at {source}")
    add_attributes(tree, attributes)
    return tree


def add_attributes(tree: int, attributes: int) -> None:
    body = struct.pack("=QQQQ", attributes, 0, 0, 0)
    flags = _AT_EMPTY_PATH | _AT_RECURSIVE
    _done(_libc.syscall(_MOUNT_SETATTR, tree, b"", flags, body, len(body)), "to set the attributes of mounts")


def set_read_only(path: str) -> None:
    """The one mount at `path`, not those below it."""
    body = struct.pack("=QQQQ", ATTR_RDONLY, 0, 0, 0)
    done = _libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, path.encode(), 0, body, len(body))
    _done(done, f"to make {path} read-only")


def attach_tree(tree: int, target: str) -> None:
    done = _libc.syscall(_MOVE_MOUNT, tree, b"", _AT_FDCWD, target.encode(), _MOVE_EMPTY_PATH)
    _done(done, f"to attach mounts at {target}")


def make_root(path: str) -> None:
    """`path`, a mount, becomes `/`; what was `/` is gone."""
    os.chdir(path)
    _done(_libc.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), f"to make {path} the root")
    unmount(".")
    os.chdir("/")


def drop_capabilities() -> None:
    """None is left, and none can be had again: not by exec, not from a file."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    for capability in range(_LAST_CAPABILITY + 1):
        if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            break
    header, nothing = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), struct.pack("=6I", *[0] * 6)
    _done(_libc.syscall(_CAPSET[os.uname().machine], header, nothing), "to drop capabilities")


def landlock_version() -> int:
    """The kernel's version of Landlock, 0 where it has none."""
    return max(0, int(_libc.syscall(_LANDLOCK_CREATE, None, 0, 1)))


def landlock(attributes: bytes, rules: tuple[tuple[str, int], ...]) -> None:
    """Restricts this thread and its children to `rules` (path, rights) of a ruleset of `attributes`."""
    ruleset = int(_libc.syscall(_LANDLOCK_CREATE, attributes, len(attributes), 0))
    _done(ruleset, "to make a Landlock ruleset")
    for path, rights in rules:
        where = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", rights, where)
        _done(_libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0), f"to allow {path} in Landlock")
        os.close(where)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    _done(_libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0), "to restrict by Landlock")
    os.close(ruleset)


def _done(result: int, attempt: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"the kernel refused {attempt}: {os.strerror(number)}")
