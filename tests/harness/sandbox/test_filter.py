"""The filter of system calls, run here instruction by instruction, says of every number what the table says.

1. A call of the table is allowed, a call that is absent on purpose gets its error, every other number is refused.
2. A call with a condition is allowed for its values alone, whatever the other arguments and the high halves are.
3. Another calling convention ends the process.
4. Docker's profile says the same of the same calls.
5. The numbers are those of the kernel's headers, where they are installed.
"""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest

from harness.sandbox.inside.seccomp import ALLOW, AUDIT_ARCH, ERRNO, KILL, program
from harness.sandbox.inside.syscalls import ABSENT, ALLOWED, NEW_NAMESPACES, NO_SUCH_CALL, Call
from harness.sandbox.profile import seccomp_profile

MACHINES = sorted(AUDIT_ARCH)
REFUSED = ERRNO | 1
HIGHEST = 600


def judge(code: bytes, number: int, arch: int, arguments: tuple[int, ...] = (0,) * 6) -> int:
    """Runs the program on one call, as the kernel does (linux/bpf_common.h, linux/seccomp.h)."""
    data = struct.pack("=IIQ6Q", number, arch, 0, *arguments)
    steps = list(struct.iter_unpack("=HBBI", code))
    held, at = 0, 0
    while True:
        operation, true, false, k = steps[at]
        at += 1
        if operation == 0x20:
            (held,) = struct.unpack_from("=I", data, k)
        elif operation == 0x06:
            return int(k)
        else:
            holds = {0x15: held == k, 0x35: held >= k, 0x45: bool(held & k)}[operation]
            at += true if holds else false


@pytest.mark.parametrize("machine", MACHINES)
def test_1_every_number(machine: str) -> None:
    code, arch = program(machine), AUDIT_ARCH[machine]
    plain = {c.number(machine) for c in ALLOWED if c.argument is None} - {None}
    conditional = {c.number(machine) for c in ALLOWED if c.argument is not None}
    absent = {c.number(machine) for c in ABSENT}
    assert len(plain) > 100
    for number in range(HIGHEST):
        if number not in conditional:
            wanted = ALLOW if number in plain else ERRNO | NO_SUCH_CALL if number in absent else REFUSED
            assert judge(code, number, arch) == wanted, number


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("call", [c for c in ALLOWED if c.argument is not None], ids=lambda c: c.name)
def test_2_conditions(machine: str, call: Call) -> None:
    code, arch, number = program(machine), AUDIT_ARCH[machine], call.number(machine)
    assert number is not None and call.argument is not None

    def given(value: int, others: int) -> int:
        arguments = tuple(value if i == call.argument else others for i in range(6))
        return judge(code, number, arch, arguments)

    for others in (0, 0xFFFFFFFFFFFFFFFF):
        if call.mask:
            assert given(17, others) == ALLOW
            for bit in range(32):
                if 1 << bit & NEW_NAMESPACES:
                    assert given(17 | 1 << bit, others) == REFUSED
                    assert given(17 | 1 << bit | 1 << 40, others) == REFUSED
        for value in call.values:
            assert given(value, others) == ALLOW
        if call.values:
            for value in set(range(256)) | {0x5412, 0x541C, 0x40000, 0x59616D61} - set(call.values):
                if value not in call.values:
                    assert given(value, others) == REFUSED, value
                    assert given(value | 1 << 32, others) == REFUSED


@pytest.mark.parametrize("machine", MACHINES)
def test_3_other_conventions(machine: str) -> None:
    code = program(machine)
    for other in {0x40000003, *AUDIT_ARCH.values()} - {AUDIT_ARCH[machine]}:
        assert judge(code, 1, other) == KILL
    if machine == "x86_64":
        assert judge(code, 0x40000000 | 1, AUDIT_ARCH[machine]) == KILL
        assert judge(code, 0x40000000 | 41, AUDIT_ARCH[machine]) == KILL


@pytest.mark.parametrize("machine", MACHINES)
def test_4_dockers_profile(machine: str) -> None:
    profile = json.loads(seccomp_profile(machine))
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    allowed = {name for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}
    assert allowed == {c.name for c in ALLOWED}
    for call in (c for c in ALLOWED if c.argument is not None):
        rules = [rule for rule in profile["syscalls"] if rule["names"] == [call.name]]
        assert all(rule["args"] for rule in rules), call.name
        values = {arg["value"] for rule in rules for arg in rule["args"]}
        assert values == (set(call.values) or {call.mask})


def test_5_numbers_of_the_headers() -> None:
    x86, generic = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm-generic/unistd.h")
    if not x86.is_file() or not generic.is_file():
        pytest.skip("the kernel's headers are not installed")
    ours = {c.name: c for c in (*ALLOWED, *ABSENT)}
    numbers = {m[1]: int(m[2]) for m in re.finditer(r"#define __NR_(\w+) (\d+)", x86.read_text())}
    assert {n: c.x86_64 for n, c in ours.items()} == {n: numbers.get(n) for n in ours}
    found = re.finditer(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", generic.read_text())
    numbers = {m[1].replace("fstatat", "newfstatat"): int(m[2]) for m in found}
    assert {n: c.aarch64 for n, c in ours.items()} == {n: numbers.get(n) for n in ours}


def test_absent_on_purpose() -> None:
    names = {c.name for c in ALLOWED}
    never = (
        "socket socketpair ptrace mount unshare setns bpf io_uring_setup memfd_create keyctl userfaultfd chroot mknod"
    )
    assert not names & set(never.split())
