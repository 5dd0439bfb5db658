"""What every sandbox does with a program that means no harm.

1. Files go in, new and changed files come back; what is unchanged does not.
2. Exit code, output and the reason are the program's.
3. Every limit stops the program, by its own name, and whatever it printed and wrote before is still there.
4. Links and special files are named and never followed; counts and sizes are bounded.
5. Nothing of one job is there in the next.
6. Every system call that is not in the list is refused, by number.
"""

from __future__ import annotations

import errno
import json
import platform
from pathlib import Path

import pytest

from harness.sandbox.inside.places import TEMPORARY, WORK
from harness.sandbox.inside.syscalls import ALLOWED
from harness.sandbox.port import MIB, Job, Limits, Reason, Sandbox
from tests.harness.sandbox.conftest import SMALL, run

pytestmark = pytest.mark.slow


def test_1_files_in_and_out(sandbox: Sandbox) -> None:
    code = (
        "import os, pathlib\n"
        "p = pathlib.Path('deep/er/in.bin'); body = p.read_bytes(); p.write_bytes(body + b'!')\n"
        "pathlib.Path('out').mkdir(); pathlib.Path('out/new.txt').write_text('neu ü')\n"
        "open('/tmp/scratch', 'w').write('temporary'); print(os.getcwd())\n"
    )
    outcome = run(sandbox, code, files={"deep/er/in.bin": bytes(range(256)), "same.txt": b"same"})
    assert outcome.ok, outcome.stderr
    assert outcome.files == {"deep/er/in.bin": bytes(range(256)) + b"!", "out/new.txt": "neu ü".encode()}
    assert outcome.stdout.decode() == f"{WORK}\n"
    assert outcome.left_out == ()


@pytest.mark.parametrize(
    ("code", "exit_code", "reason"),
    [
        ("raise SystemExit(3)", 3, Reason.EXITED),
        ("1 / 0", 1, Reason.EXITED),
        ("import os; os.abort()", 134, Reason.KILLED),
        ("import os; os.kill(os.getpid(), 9)", 137, Reason.KILLED),
        ("import ctypes; ctypes.string_at(0)", 139, Reason.KILLED),
    ],
)
def test_2_how_it_ended(sandbox: Sandbox, code: str, exit_code: int, reason: Reason) -> None:
    outcome = run(sandbox, "import sys; print('before'); sys.stdout.flush()\n" + code)
    assert (outcome.exit_code, outcome.reason, outcome.stdout) == (exit_code, reason, b"before\n")


def test_2_input_arguments_environment(sandbox: Sandbox) -> None:
    code = "import sys, os; print(sys.stdin.read()[-3:], sys.argv[1:], os.environ['SEED']); sys.stderr.write('e')"
    job = Job(
        {"main.py": code.encode()},
        ("python", "-I", "main.py", "a b", "*", "$HOME"),
        SMALL,
        stdin=b"x" * 300_000 + b"end",
        environment={"SEED": "7"},
    )
    outcome = sandbox.run(job)
    assert outcome.stdout.decode() == "end ['a b', '*', '$HOME'] 7\n"
    assert outcome.stderr == b"e"


def test_2_the_same_inside_of_all(sandbox: Sandbox) -> None:
    code = (
        "import os, platform, getpass, sys, tempfile\n"
        "print(platform.node(), getpass.getuser(), os.path.expanduser('~'), os.getcwd(), tempfile.gettempdir())\n"
        "open('/dev/null', 'w').write('x'); assert len(open('/dev/urandom', 'rb').read(9)) == 9\n"
        "print(sorted(n for n in os.environ), sys.prefix, sys.base_prefix, len(os.sched_getaffinity(0)) > 0)\n"
    )
    outcome = run(sandbox, code)
    assert outcome.ok, outcome.stderr
    first, second = outcome.stdout.decode().splitlines()
    assert first == f"sandbox sandbox {WORK} {WORK} {WORK}/{TEMPORARY}"
    assert second.endswith("/opt/venv /opt/python True")


def test_2_packages_that_modules_need(sandbox: Sandbox) -> None:
    """Libraries with threads, compilers and allocators of their own start under the filter and the limits."""
    code = (
        "import numba, numpy, polars, pydantic, pyarrow, yaml, pytest, hypothesis, scipy.stats, exchange_calendars\n"
        "print(numba.njit(lambda x: x * 2)(21), polars.DataFrame({'a': [1, 2]}).select(polars.col('a').sum()).item())\n"
        "print(numpy.linalg.svd(numpy.eye(60))[1].sum())\n"
    )
    outcome = run(sandbox, code, Limits(timeout_s=120, cpu_s=60))
    assert outcome.stdout == b"42 3\n60.0\n", outcome.stderr[-800:]


def test_2_a_suite_of_tests_runs_inside(sandbox: Sandbox) -> None:
    good, bad = (
        "def test_good():\n    assert 1\n",
        "def test_bad(tmp_path):\n    (tmp_path / 'x').touch()\n    assert 0\n",
    )
    tests = f"{good}\n\n{bad}".encode()
    argv = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py")
    outcome = sandbox.run(Job({"test_it.py": tests}, argv, Limits(timeout_s=120)))
    assert outcome.exit_code == 1
    assert b"1 failed, 1 passed" in outcome.stdout, outcome.stderr


def test_2_folders_that_are_shown(sandbox: Sandbox, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "data.txt").write_text("seen")
    (tmp_path / "out").symlink_to("/etc")
    code = (
        "import os\n"
        "print(open('/shown/data/data.txt').read(), os.listdir('/shown'), os.path.exists('/shown/data/out/passwd'))\n"
        "for path in ('/shown/data/new', '/shown/new'):\n"
        "    try: open(path, 'w'); print('WROTE', path)\n"
        "    except OSError: pass\n"
    )
    job = Job({"main.py": code.encode()}, ("python", "-I", "main.py"), SMALL, shown={"data": tmp_path})
    outcome = sandbox.run(job)
    assert outcome.stdout.decode() == "seen ['data'] False\n", outcome.stderr


def test_2_a_command_that_is_not_there(sandbox: Sandbox) -> None:
    outcome = sandbox.run(Job({}, ("no-such-program",), SMALL))
    assert not outcome.ok
    assert outcome.exit_code in (126, 127)


@pytest.mark.parametrize(
    ("code", "limits", "reason"),
    [
        ("import time; time.sleep(60)", Limits(timeout_s=1), Reason.TIMEOUT),
        ("while True: pass", Limits(timeout_s=20, cpu_s=1), Reason.CPU),
        ("import os\nwhile True: os.write(1, b'x' * 65536)", Limits(timeout_s=20, output_bytes=MIB), Reason.OUTPUT),
    ],
    ids=["timeout", "cpu", "output"],
)
def test_3_limits_by_name(sandbox: Sandbox, code: str, limits: Limits, reason: Reason) -> None:
    outcome = run(sandbox, "open('begun', 'w').write('yes')\nprint('first', flush=True)\n" + code, limits)
    assert outcome.reason is reason
    assert outcome.files == {"begun": b"yes"}
    assert outcome.stdout.startswith(b"first\n")
    assert len(outcome.stdout) <= limits.output_bytes
    assert outcome.usage.start_s < 15, "clearing up waits for something"


def test_4_what_is_left_in_the_folder(sandbox: Sandbox) -> None:
    code = (
        "import os\n"
        "os.symlink('/etc', 'link'); os.symlink('main.py', 'also'); os.mkdir('shut')\n"
        "open('shut/in', 'w').write('1'); os.chmod('shut', 0); open('unread', 'w').write('2'); os.chmod('unread', 0)\n"
        "open(b'bad\\xff', 'w').write('3'); open('line\\nfeed', 'w').write('4'); open('big', 'wb').truncate(5 << 20)\n"
        "[open(f'many{i:03}', 'w').write('x') for i in range(12)]\n"
    )
    outcome = run(sandbox, code, Limits(timeout_s=20, collected_files=8, collected_bytes=MIB))
    assert outcome.ok, outcome.stderr
    named = {left.path for left in outcome.left_out}
    assert {"link", "also", "big"} <= named
    assert len(outcome.files) <= 8
    assert not any("link" in path or "also" in path or "\n" in path for path in outcome.files)
    assert len(outcome.left_out) <= 17


def test_5_nothing_stays(sandbox: Sandbox) -> None:
    first = run(sandbox, "open('/tmp/stays', 'w').write('x'); open('stays', 'w').write('x')")
    assert first.files == {"stays": b"x"}
    second = run(sandbox, "import os; print(os.listdir('.'), os.listdir('/tmp'))")
    assert second.stdout == b"['.tmp', 'main.py'] []\n" or second.stdout == b"['main.py', '.tmp'] []\n"


def test_6_every_call_that_is_not_listed_is_refused(sandbox: Sandbox) -> None:
    """By its number, without arguments: no permission, or no such call. The first generation, which every kernel has,
    shows that it is the filter that answers."""
    listed = {call.number(platform.machine()) for call in ALLOWED}
    trampolines = {
        335,
        336,
    }  # uretprobe and uprobe: no filter sees them, and the kernel kills whoever calls them himself
    others = [number for number in range(600) if number not in listed | trampolines]
    code = (
        "import ctypes, json, sys\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "def answer(number):\n"
        "    return ctypes.get_errno() if libc.syscall(number, 0, 0, 0, 0, 0, 0) < 0 else 0\n"
        "print(json.dumps({number: answer(number) for number in json.loads(sys.argv[1])}))\n"
    )
    outcome = sandbox.run(Job({"main.py": code.encode()}, ("python", "-I", "main.py", json.dumps(others)), SMALL))
    assert outcome.ok, outcome.stderr
    answers = {int(number): error for number, error in json.loads(outcome.stdout).items()}
    assert set(answers) == set(others)
    first = range(335)
    assert {n: e for n, e in answers.items() if e not in (errno.EPERM, errno.ENOSYS)} == {}
    assert {n: e for n, e in answers.items() if n in first and e != errno.EPERM} == {}
