"""The kernel's less common doors."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal

from payloads.attempt import Outside, call, escaped, payload, refused, syscall

NAMESPACES = {
    "mounts": 0x20000, "cgroups": 0x2000000, "names": 0x4000000, "messages": 0x8000000,
    "users": 0x10000000, "processes": 0x20000000, "network": 0x40000000, "time": 0x80,
}  # fmt: skip


@payload()
def new_namespaces(out: Outside) -> None:
    for name, flag in NAMESPACES.items():
        call(f"unshare {name}", 272, 97, flag)
        call(f"unshare users and {name}", 272, 97, flag | NAMESPACES["users"])


@payload()
def clones_into_namespaces(out: Outside) -> None:
    for name, flag in NAMESPACES.items():
        if name != "time":  # of no meaning to this call
            _in_a_child(f"clone {name}", 56, 220, flag | signal.SIGCHLD, 0, 0, 0, 0)
        body = (ctypes.c_uint64 * 11)(flag | NAMESPACES["users"], 0, 0, 0, signal.SIGCHLD)
        _in_a_child(f"clone3 {name}", 435, 435, body, 88)
    _in_a_child("clone with high bits", 56, 220, (1 << 40) | NAMESPACES["users"] | signal.SIGCHLD, 0, 0, 0, 0)


def _in_a_child(what: str, x86_64: int, aarch64: int, *arguments: object) -> None:
    """A call that, should it work, returns twice."""
    parent = os.getpid()
    number = {"x86_64": x86_64}.get(os.uname().machine, aarch64)
    try:
        syscall(number, *arguments)
    except OSError:
        return
    if os.getpid() == parent:
        escaped(what)
    else:
        os._exit(0)


@payload()
def enters_namespaces(out: Outside) -> None:
    for pid in ("1", "self", str(out.victim)):
        for kind in ("mnt", "net", "pid", "user", "ipc", "uts", "cgroup"):
            refused(f"{kind} of {pid}", lambda pid=pid, kind=kind: _enter(f"/proc/{pid}/ns/{kind}"))


def _enter(path: str) -> int:
    held = os.open(path, os.O_RDONLY)
    return syscall({"x86_64": 308}.get(os.uname().machine, 268), held, 0)


@payload()
def io_uring(out: Outside) -> None:
    """Calls handed to the kernel in a ring, past the filter."""
    call("io_uring_setup", 425, 425, 8, ctypes.create_string_buffer(120))
    call("io_uring_enter", 426, 426, 0, 0, 0, 0, 0, 0)
    call("io_uring_register", 427, 427, 0, 0, 0, 0)
    call("io_setup", 206, 0, 8, ctypes.create_string_buffer(8))


@payload()
def programs_in_the_kernel(out: Outside) -> None:
    call("bpf", 321, 280, 0, ctypes.create_string_buffer(128), 128)
    call("perf_event_open", 298, 241, ctypes.create_string_buffer(b"\0\0\0\0\x70" + bytes(115)), 0, -1, -1, 0)
    call("userfaultfd", 323, 282, 0)
    call("init_module", 175, 105, b"x", 1, b"")
    call("finit_module", 313, 273, 0, b"", 0)
    call("delete_module", 176, 106, b"x", 0)
    call("kexec_load", 246, 104, 0, 0, 0, 0)
    call("ptrace by seccomp", 317, 277, 3, 0, ctypes.create_string_buffer(64))


@payload()
def keys(out: Outside) -> None:
    call("add_key", 248, 217, b"user", b"x", b"y", 1, -3)
    call("request_key", 249, 218, b"user", b"x", 0, -3)
    call("keyctl", 250, 219, 0, -3, 0)


@payload()
def the_whole_machine(out: Outside) -> None:
    call("reboot", 169, 142, 0xFEE1DEAD, 672274793, 0)  # would only change what Ctrl-Alt-Del does
    call("sethostname", 170, 161, b"x", 1)
    call("setdomainname", 171, 162, b"x", 1)
    call("settimeofday", 164, 170, 0, ctypes.create_string_buffer(8))
    call("clock_settime", 227, 112, 1, ctypes.create_string_buffer(16))
    call("adjtimex", 159, 171, ctypes.create_string_buffer(b"\x01" + bytes(300)))
    call("swapon", 167, 224, os.getcwdb() + b"/x", 0)
    call("acct", 163, 89, os.getcwdb() + b"/x")
    call("quotactl", 179, 60, 0x800001, 0, 0, 0)
    call("iopl", 172, None, 3)
    call("ioperm", 173, None, 0, 1, 1)
    call("vhangup", 153, 58)


@payload()
def other_memory_tricks(out: Outside) -> None:
    call("modify_ldt", 154, None, 0x11, ctypes.create_string_buffer(16), 16)
    call("personality without randomness", 135, 92, 0x40000)
    call("personality that reads and executes", 135, 92, 0x400000)
    call("remap_file_pages", 216, 234, 0, 0, 0, 0, 0)
    call("process_madvise", 440, 440, 0, 0, 0, 0, 0)
    call("move_pages", 279, 239, out.victim, 0, 0, 0, 0, 0)
    call("migrate_pages", 256, 238, out.victim, 0, 0, 0)
    call("pkey_alloc", 330, 289, 0, 0)
    call("vmsplice", 278, 75, 1, 0, 0, 0)
    call("splice", 275, 76, 0, 0, 1, 0, 1, 0)


@payload()
def lifts_the_filter(out: Outside) -> None:
    """What was refused must be refused still."""
    call("no filter", 157, 167, 22, 0, 0, 0, 0)
    call("strict mode", 157, 167, 22, 1, 0, 0, 0)
    call("seccomp", 317, 277, 1, 0, 0)
    call("new rights", 157, 167, 38, 0, 0, 0, 0)
    call("keep capabilities", 157, 167, 8, 1, 0, 0, 0)
    call("ambient capability", 157, 167, 47, 2, 21, 0, 0)
    call("securebits", 157, 167, 28, 0, 0, 0, 0)
    call("be traced by all", 157, 167, 0x59616D61, -1, 0, 0, 0)
    call("socket", 41, 198, 2, 1, 0)


@payload(reasons=("killed",), machines=("x86_64",))
def calls_as_32_bit(out: Outside) -> None:
    """int 0x80 with number 359, socket among the 32-bit calls, which is another one among the 64-bit calls."""
    _machine_code(b"\x53\xb8\x67\x01\x00\x00\xbb\x02\x00\x00\x00\xb9\x01\x00\x00\x00\x31\xd2\xcd\x80\x5b\xc3", "socket")


@payload(reasons=("killed",), machines=("x86_64",))
def calls_as_x32(out: Outside) -> None:
    """The numbers of the x32 convention, which have a bit of their own."""
    call("socket by x32", 0x40000000 | 41, None, 2, 1, 0)
    escaped("a call of another convention did not end the program")


@payload(machines=("x86_64",))
def calls_by_machine_code(out: Outside) -> None:
    """The instruction itself, past every library: mov eax, 41; mov edi, 2; mov esi, 1; xor edx, edx; syscall; ret."""
    _machine_code(b"\xb8\x29\x00\x00\x00\xbf\x02\x00\x00\x00\xbe\x01\x00\x00\x00\x31\xd2\x0f\x05\xc3", "socket")


def _machine_code(code: bytes, what: str) -> None:
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    result = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    if result >= 0:
        escaped(f"{what} by machine code: {result}")


@payload()
def types_into_a_terminal(out: Outside) -> None:
    for name in ("/dev/tty", "/dev/console", "/dev/pts/0"):
        refused(name, lambda name=name: os.open(name, os.O_RDWR))
    for number in range(3):
        call("TIOCSTI", 16, 29, number, 0x5412, b"x")
        call("TIOCSTI with high bits", 16, 29, number, (1 << 32) | 0x5412, b"x")
        call("TIOCLINUX", 16, 29, number, 0x541C, b"\x03")
