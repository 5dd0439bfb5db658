"""Builds the folder that will be the jail's root, in a mount namespace that nobody else sees.

Every tree of this machine enters as a read-only copy of its mounts, without devices or set-user-id; the one writable
place is a file system in memory of limited bytes and files, on which nothing can be executed. Building happens before
the user changes, so that an interpreter below a private home can be shown.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from harness.sandbox.inside import kernel
from harness.sandbox.inside.order import Bounds, Order
from harness.sandbox.inside.places import TEMPORARY, WORK

STAGE = "/tmp"  # covered in this namespace only; every machine has it
ROOT, SCRATCH = "/tmp/root", "/tmp/scratch"
DEVICES = ("null", "zero", "full", "random", "urandom")
SHARED_MEMORY = "/dev/shm"

_READ_ONLY = kernel.ATTR_RDONLY | kernel.ATTR_NOSUID | kernel.ATTR_NODEV


def own_mounts() -> None:
    """A mount namespace of this process: with root's rights, or with those of a user namespace."""
    if os.geteuid() == 0:
        kernel.unshare(kernel.CLONE_NEWNS)
    else:
        user, group = os.geteuid(), os.getegid()
        kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
        map_ids(user, group, user, group)
    kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)


def map_ids(user: int, group: int, inner_user: int, inner_group: int) -> None:
    """In a new user namespace: one user and one group, no others."""
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inner_user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{inner_group} {group} 1")


def build(order: Order, files: Mapping[str, bytes]) -> int:
    """Builds the root at ROOT; the answer is the open scratch folder, with the job's files in it."""
    own_mounts()
    trees = [
        (kernel.clone_tree(s.source, _READ_ONLY | (0 if s.executable else kernel.ATTR_NOEXEC)), s)
        for s in order.seen
        if s.source
    ]
    devices = [
        (kernel.clone_tree(f"/dev/{d}", kernel.ATTR_NOSUID | kernel.ATTR_NOEXEC), f"{ROOT}/dev/{d}") for d in DEVICES
    ]
    kernel.mount("tmpfs", STAGE, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "size=1m,nr_inodes=4096,mode=755")
    Path(ROOT).mkdir()
    for tree, seen in trees:
        target = ROOT + seen.path
        _place_for(target, Path(f"/proc/self/fd/{tree}").is_dir())
        kernel.attach_tree(tree, target)
    for tree, target in devices:
        _place_for(target, False)
        kernel.attach_tree(tree, target)
    for seen in order.seen:
        if not seen.source and Path(ROOT + seen.path).is_dir():
            options = "size=4k,nr_inodes=2,mode=755,ro"
            kernel.mount("tmpfs", ROOT + seen.path, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)
    work = _scratch(order.bounds, order.user)
    for target, link in (*order.links, (f"{WORK}/{TEMPORARY}", "/tmp"), (f"{WORK}/{TEMPORARY}", SHARED_MEMORY)):
        Path(ROOT + link).parent.mkdir(parents=True, exist_ok=True)
        Path(ROOT + link).symlink_to(target)
    for path, text in order.texts:
        _place_for(ROOT + path, False)
        Path(ROOT + path).write_text(text)
    _write(work, files, order.user)
    _close_root()
    return work


def _scratch(bounds: Bounds, user: int) -> int:
    """The writable file system, limited in bytes and in files, at WORK below ROOT and open here."""
    inodes = bounds.scratch_files + 2  # its root, and the folder for temporary files
    options = f"size={bounds.scratch_bytes},nr_inodes={inodes},mode=700"
    Path(SCRATCH).mkdir()
    kernel.mount("tmpfs", SCRATCH, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC, options)
    os.chown(SCRATCH, user, user if os.geteuid() == 0 else -1)
    Path(ROOT + WORK).mkdir()
    kernel.mount(SCRATCH, ROOT + WORK, "", kernel.MS_BIND)
    work = os.open(SCRATCH, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    _make_folder(work, TEMPORARY, user)
    return work


def _write(work: int, files: Mapping[str, bytes], user: int) -> None:
    for path, body in files.items():
        *folders, name = path.split("/")
        here = os.dup(work)
        for folder in folders:
            _make_folder(here, folder, user)
            inner = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = inner
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=here)
        with os.fdopen(file, "wb") as stream:
            _own(file, user)
            stream.write(body)
        os.close(here)


def _make_folder(parent: int, name: str, user: int) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        return
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    _own(folder, user)
    os.close(folder)


def _own(file: int, user: int) -> None:
    if os.geteuid() == 0:
        os.fchown(file, user, user)


def _place_for(target: str, folder: bool) -> None:
    """Something to mount on."""
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    if folder:
        path.mkdir(exist_ok=True)
    else:
        path.touch()


def _close_root() -> None:
    """ROOT becomes a mount of its own that cannot be written; what is mounted below keeps its own rule."""
    tree = kernel.clone_tree(ROOT, 0)
    kernel.attach_tree(tree, ROOT)
    kernel.set_read_only(ROOT)
