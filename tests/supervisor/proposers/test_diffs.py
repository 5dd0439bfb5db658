"""Unified diffs: what is read, what fits, and what no diff can do. A row a case."""

from __future__ import annotations

import pytest

from supervisor.proposers.diffs import MOST_DIFF_CHARACTERS, DiffError, apply, read_diff

TEXT = "# caps\na: 1\nb: 2\n\n# more\nb2: 2\nc: 3\n"


def diff(body: str, path: str = "x.yaml", head: str = "@@ -2,2 +2,2 @@") -> str:
    return f"--- a/{path}\n+++ b/{path}\n{head}\n{body}"


FITS = [
    (diff(" a: 1\n-b: 2\n+b: 5\n"), TEXT.replace("b: 2\n\n", "b: 5\n\n")),
    (diff(" a: 1\n-b: 2\n+b: 5\n", head="@@ -90,7 +1,1 @@ anything"), TEXT.replace("b: 2\n\n", "b: 5\n\n")),
    ("diff --git a/x.yaml b/x.yaml\nindex 0a1b..2c3d 100644\n" + diff("-c: 3\n+c: 4\n"), TEXT.replace("c: 3", "c: 4")),
    (diff("-c: 3\n+c: 4"), TEXT.replace("c: 3", "c: 4")),  # no newline at the end of the diff
    (diff("-c: 3\n+c: 4\n\\ No newline at end of file\n"), TEXT.replace("c: 3", "c: 4")),
    (diff(" b: 2\n\n-# more\n+# less\n"), TEXT.replace("more", "less")),  # a blank line of context lost its blank
    (diff("-a: 1\n+a: 9\n@@ -7 +7 @@\n-c: 3\n+c: 4\n"), TEXT.replace("a: 1", "a: 9").replace("c: 3", "c: 4")),
    (diff("-a: 1\n"), TEXT.replace("a: 1\n", "")),
    (diff(" a: 1\n+a2: 1\n"), TEXT.replace("a: 1\n", "a: 1\na2: 1\n")),
]


@pytest.mark.parametrize(("text", "after"), FITS)
def test_what_fits(text: str, after: str) -> None:
    [found] = read_diff(text)
    assert apply(found, TEXT) == after


REFUSED = [
    ("", "empty"),
    ("\n\n", "empty"),
    ("a: 2", "no header"),
    ("GIT binary patch\nliteral 0", "no header"),
    ("rename from a\nrename to b", "no header"),
    ("old mode 100644\nnew mode 100755", "no header"),
    ("deleted file mode 100644\n" + diff("-a: 1\n"), "no header"),
    ("--- a/x.yaml\n+++ /dev/null\n@@ -1 +0,0 @@\n-a: 1", "deleted"),
    ("--- a/x.yaml\n+++ b/y.yaml\n@@ -1 +1 @@\n-a: 1\n+a: 2", "no one file"),
    ("--- x.yaml\n+++ x.yaml\n@@ -1 +1 @@\n-a: 1\n+a: 2", "no one file"),
    ("--- a/x.yaml\n+++ b/x.yaml", "no hunk"),
    (diff(" a: 1\n"), "changes nothing"),
    (diff("-a: 1\n+a: 1\n"), "changes nothing"),
    (diff("*a: 1\n"), "neither blank"),
    (diff("-a: 7\n+a: 8\n"), "do not stand there"),
    (diff("+z: 8\n"), "beside nothing"),
    (diff("-c: 3\n+c: 4\n@@ -1 +1 @@\n-a: 1\n+a: 2\n"), "do not stand there"),  # hunks go down the file
    ("--- /dev/null\n+++ b/x.yaml\n@@ -0,0 +1 @@\n+a: 1", "is there already"),
    ("--- /dev/null\n+++ b/x.yaml\n@@ -1 +1 @@\n-a: 1\n+a: 2", "said to be new"),
    (diff("-a: 1\n+a: 2\n") + diff("-c: 3\n+c: 4\n"), "each once"),
    (diff("-a: 1\n+a: 2\n", head="@@ -1 @@"), "no hunk"),
    ("x" * (MOST_DIFF_CHARACTERS + 1), "at most"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED)
def test_what_is_refused(text: str, says: str) -> None:
    with pytest.raises(DiffError, match=says):
        for found in read_diff(text):
            apply(found, TEXT)


def test_a_place_that_is_not_unique_needs_its_line() -> None:
    text = "a: 1\nx: 0\nb: 1\nx: 0\n"
    [there] = read_diff(diff("-x: 0\n+x: 5\n", head="@@ -4 +4 @@"))
    assert apply(there, text) == "a: 1\nx: 0\nb: 1\nx: 5\n"
    [lost] = read_diff(diff("-x: 0\n+x: 5\n", head="@@ -3 +3 @@"))
    with pytest.raises(DiffError, match="2 places"):
        apply(lost, text)


def test_a_file_that_is_not_there() -> None:
    [found] = read_diff(diff("-a: 1\n+a: 2\n"))
    with pytest.raises(DiffError, match="does not exist"):
        apply(found, None)
    [new] = read_diff("--- /dev/null\n+++ b/x.yaml\n@@ -0,0 +1,2 @@\n+a: 1\n+b: 2")
    assert apply(new, None) == "a: 1\nb: 2\n"
