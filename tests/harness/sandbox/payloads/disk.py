"""More files, longer files, stranger files and more output than is allowed."""

from __future__ import annotations

import contextlib
import os

from payloads.attempt import Outside, escaped, payload, refused

MOST = 600 << 20


@payload()
def one_big_file(out: Outside) -> None:
    written = 0
    with contextlib.suppress(OSError), open("big", "wb", buffering=0) as file:
        while written < MOST:
            written += file.write(b"x" * (1 << 20))
    if written > out.scratch_bytes:
        escaped(f"{written} bytes in one file")


@payload()
def many_big_files(out: Outside) -> None:
    written = 0
    for number in range(200):
        with contextlib.suppress(OSError), open(f"part{number}", "wb", buffering=0) as file:
            for _ in range(3):
                written += file.write(b"x" * (1 << 20))
    if written > out.scratch_bytes:
        escaped(f"{written} bytes in many files")


@payload()
def every_writable_place(out: Outside) -> None:
    """Fills wherever anything can be written, not only the scratch folder."""
    written = 0
    for folder, _, _ in os.walk("/"):
        if folder.startswith(("/proc", "/sys")):
            continue
        with contextlib.suppress(OSError), open(os.path.join(folder, ".fill"), "wb", buffering=0) as file:
            for _ in range(8):
                written += file.write(b"x" * (1 << 20))
    if written > out.scratch_bytes:
        escaped(f"{written} bytes over all")


@payload()
def many_files(out: Outside) -> None:
    made = 0
    with contextlib.suppress(OSError):
        for number in range(20_000):
            with open(f"f{number}", "wb"):
                made += 1
    if made > 2_000:
        escaped(f"{made} files")


@payload()
def many_folders(out: Outside) -> None:
    made = 0
    with contextlib.suppress(OSError):
        for number in range(20_000):
            os.mkdir(f"d{number}")
            made += 1
    if made > 2_000:
        escaped(f"{made} folders")


@payload()
def many_links_to_one_file(out: Outside) -> None:
    """What comes back must not grow with the names of one file."""
    with open("one", "wb") as file:
        file.write(os.urandom(1 << 20))
    with contextlib.suppress(OSError):
        for number in range(5_000):
            os.link("one", f"name{number}")


@payload()
def files_with_holes(out: Outside) -> None:
    """Small where they lie, terabytes in an archive."""
    for number in range(100):
        with contextlib.suppress(OSError), open(f"hole{number}", "wb") as file:
            file.truncate(7 << 20)
    refused("a file of a terabyte", lambda: open("tera", "wb").truncate(1 << 40))


@payload()
def a_deep_tree(out: Outside) -> None:
    with contextlib.suppress(OSError):
        for _ in range(3_000):
            os.mkdir("d")
            os.chdir("d")
    with contextlib.suppress(OSError), open("bottom", "w") as file:
        file.write("x")


@payload()
def strange_names(out: Outside) -> None:
    for name in (
        b"..\\..\\up",
        b"a\nb",
        b"\xff\xfe",
        b"-rf",
        b"*",
        b"\x1b[2Jred",
        b"x" * 255,
        "\u202egpj.exe".encode(),
        b"CON",
    ):
        with contextlib.suppress(OSError), open(name, "wb") as file:
            file.write(b"x")
    for name in ("stdout", "stderr", "stdin", ".tmp.", "..."):
        with contextlib.suppress(OSError), open(name, "wb") as file:
            file.write(b"not what was printed")
    print("printed")


@payload(reasons=("output",))
def endless_output(out: Outside) -> None:
    while True:
        os.write(1, b"x" * 65536)


@payload(reasons=("output",))
def endless_errors_from_children(out: Outside) -> None:
    os.fork()
    os.fork()
    while True:
        os.write(2, b"x" * 65536)


@payload()
def attributes_and_quotas(out: Outside) -> None:
    open("file", "w").close()
    refused("an attribute", lambda: os.setxattr("file", "user.x", b"y" * 60_000))
    refused("a capability", lambda: os.setxattr("file", "security.capability", b"\1\0\0\2" + b"\xff" * 16))
    refused("another owner", lambda: os.chown("file", 0, 0))
