"""Any way to another machine, or to another program of this one."""

from __future__ import annotations

import contextlib
import socket

from payloads.attempt import Outside, call, escaped, payload, refused

WORDS = b"was here"


@payload()
def tcp(out: Outside) -> None:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(1)
            s.connect((host, out.port))
            s.sendall(WORDS)
            escaped(f"connected to {host}")


@payload()
def udp(out: Outside) -> None:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as s:
            s.sendto(WORDS, (host, out.port))


@payload()
def unix_by_path(out: Outside) -> None:
    for path in (
        out.path_socket,
        "/proc/1/root" + out.path_socket,
        "/var/run/docker.sock",
        "/run/dbus/system_bus_socket",
    ):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            s.sendall(WORDS)
            escaped(f"connected to {path}")


@payload()
def unix_abstract(out: Outside) -> None:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as s:
        s.connect("\0" + out.abstract_socket)
        s.sendall(WORDS)
        escaped("connected to an abstract socket")


@payload()
def every_family(out: Outside) -> None:
    """Netlink, packets, Bluetooth, virtual machines, the kernel's own ciphers, and what else has a number."""
    for family in range(64):
        for kind in (1, 2, 3, 5):
            refused(f"socket family {family} kind {kind}", lambda family=family, kind=kind: socket.socket(family, kind))


@payload()
def by_system_call(out: Outside) -> None:
    call("socket", 41, 198, 2, 1, 0)
    call("socketpair", 53, 199, 1, 1, 0, b"        ")
    call("connect", 42, 203, 0, b"\x02\0\0\x50\x7f\0\0\1" + bytes(8), 16)
    call("sendto", 44, 206, 1, WORDS, 8, 0, b"\x02\0\0\x50\x7f\0\0\1" + bytes(8), 16)
    call("accept", 43, 202, 0, 0, 0)
    call("bind", 49, 200, 0, b"\x02\0\0\x50\x7f\0\0\1" + bytes(8), 16)
    call("sendmsg", 46, 211, 1, bytes(56), 0)
    call("recvmsg", 47, 212, 0, bytes(56), 0)


@payload()
def asks_for_names(out: Outside) -> None:
    for name in ("localhost.localdomain", "example.com", "metadata.google.internal"):
        refused(f"an address of {name}", lambda name=name: socket.getaddrinfo(name, 80))


@payload()
def listens(out: Outside) -> None:
    refused("a server", lambda: socket.create_server(("127.0.0.1", 0)))
    refused("a server for all", lambda: socket.create_server(("0.0.0.0", 0)))


@payload()
def by_the_shell(out: Outside) -> None:
    """Programs of the machine that talk to others."""
    import subprocess

    for program in (
        "sh",
        "bash",
        "curl",
        "wget",
        "nc",
        "ssh",
        "ping",
        "/bin/sh",
        "/usr/bin/env",
        "git",
        "docker",
        "perl",
    ):
        refused(
            program, lambda program=program: subprocess.run([program, "--version"], capture_output=True, check=False)
        )
