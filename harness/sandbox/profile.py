"""The allow list of system calls as the seccomp profile that a Docker engine takes."""

from __future__ import annotations

import json
import platform

from harness.sandbox.inside.syscalls import ABSENT, ALLOWED, NO_SUCH_CALL

_ARCHITECTURE = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}


def seccomp_profile(machine: str | None = None) -> str:
    """JSON for `security_opt`. KeyError for a machine whose calls are not in the table."""
    rules: list[dict[str, object]] = [
        {"names": [call.name for call in ALLOWED if call.argument is None], "action": "SCMP_ACT_ALLOW"},
        {"names": [call.name for call in ABSENT], "action": "SCMP_ACT_ERRNO", "errnoRet": NO_SUCH_CALL},
    ]
    for call in ALLOWED:
        if call.argument is None:
            continue
        tests = [{"op": "SCMP_CMP_MASKED_EQ", "value": call.mask, "valueTwo": 0}] if call.mask else []
        tests += [{"op": "SCMP_CMP_EQ", "value": value} for value in call.values]
        rules += [
            {"names": [call.name], "action": "SCMP_ACT_ALLOW", "args": [{"index": call.argument, **test}]}
            for test in tests
        ]
    architecture = _ARCHITECTURE[machine or platform.machine()]
    return json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "architectures": [architecture], "syscalls": rules})
