"""The allow list as a classic BPF program, assembled here and given to the kernel.

A call by another calling convention (32-bit, x32) kills the process: its numbers mean other calls.
"""

from __future__ import annotations

import ctypes
import struct

from harness.sandbox.inside.syscalls import ABSENT, ALLOWED, NO_SUCH_CALL, Call

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32_BIT = 0x40000000
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NOT_PERMITTED = 1  # EPERM

# linux/bpf_common.h: load a word of seccomp_data, and with a constant, jump if equal, at least, any bit; return.
_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2


def program(machine: str) -> bytes:
    """The filter for `machine`, 8 bytes an instruction. KeyError for a machine whose numbers are not in the table."""
    out = [_op(_LOAD, _ARCH), _op(_EQUAL, AUDIT_ARCH[machine], 1, 0), _op(_RETURN, KILL), _op(_LOAD, _NUMBER)]
    if machine == "x86_64":
        out += [_op(_AT_LEAST, X32_BIT, 0, 1), _op(_RETURN, KILL)]
    for call in ALLOWED:
        if call.number(machine) is not None:
            out += _allowed(call, machine)
    for call in ABSENT:
        out += [_op(_EQUAL, call.number(machine) or 0, 0, 1), _op(_RETURN, ERRNO | NO_SUCH_CALL)]
    out.append(_op(_RETURN, ERRNO | NOT_PERMITTED))
    return b"".join(out)


def install(filter_program: bytes) -> None:
    """From here on, this thread and its children; cannot be undone. OSError where the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    body = ctypes.create_string_buffer(filter_program, len(filter_program))
    header = struct.pack("HxxxxxxP", len(filter_program) // 8, ctypes.addressof(body))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, MODE_FILTER, header, 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel refused the filter of system calls")


def _op(code: int, k: int, true: int = 0, false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, true, false, k)


def _allowed(call: Call, machine: str) -> list[bytes]:
    number = call.number(machine) or 0
    if call.argument is None:
        return [_op(_EQUAL, number, 0, 1), _op(_RETURN, ALLOW)]
    tests = [_op(_LOAD, _ARGUMENTS + 8 * call.argument)]  # the low half: the kernel reads no more of these arguments
    if call.mask:
        tests += [_op(_ANY_BIT, call.mask, 1, 0), _op(_RETURN, ALLOW)]
    for value in call.values:
        tests += [_op(_EQUAL, value, 0, 1), _op(_RETURN, ALLOW)]
    tests.append(_op(_RETURN, ERRNO | NOT_PERMITTED))
    return [_op(_EQUAL, number, 0, len(tests)), *tests]
