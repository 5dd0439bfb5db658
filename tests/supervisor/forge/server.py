"""GitHub as this project uses it, on loopback: the REST calls of the forge over a real bare git repository.

Answers have the fields and status codes that GitHub's documentation gives. `faults` are played first: each waits for a
call and answers in its place, or lets the deed be done and drops the answer.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

SLUG = "desk/engine"
TOKEN = "t0ken"
ACCOUNT = ("robo-account", "1+robo-account@users.noreply.github.com")
Json = dict[str, Any]


@dataclass
class Fault:
    """What happens to the calls that `method` and `path` (a regular expression) name: `status` and `body` instead of
    an answer; `drop` closes the connection, `after` does the deed first. `times`: how often; `wait`: calls let through
    before."""

    method: str
    path: str
    status: int = 0
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    after: bool = False
    times: int = 1
    wait: int = 0


class Refusal(Exception):  # noqa: N818
    """An answer that is no 2xx."""

    def __init__(self, status: int, message: str, errors: list[Json] | None = None) -> None:
        self.status, self.body = status, {"message": message, "errors": errors or []}


class Hub:
    """The repository behind the server, and its pull requests."""

    def __init__(self, bare: Path) -> None:
        self.bare = bare
        self.pulls: list[Json] = []
        self.comments: list[tuple[int, str]] = []
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        self.page = 0
        """Pull requests on a page where not 0: a short one makes a second page out of two requests."""
        self.lock = threading.Lock()
        self.url = ""

    def git(self, *args: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> str:
        command = ["git", f"--git-dir={self.bare}", *args]
        around = {"PATH": "/usr/bin:/bin", **(env or {})}
        done = subprocess.run(command, input=stdin, capture_output=True, env=around, check=False)
        if done.returncode:
            raise Refusal(422, done.stderr.decode()[:200])
        return done.stdout.decode().rstrip("\n")

    def tip(self, branch: str) -> str | None:
        try:
            return self.git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
        except Refusal:
            return None

    # --- git data -------------------------------------------------------------------------------

    def get_ref(self, name: str, _: Json) -> Json:
        sha = self.tip(name)
        if sha is None:
            raise Refusal(404, "Not Found")
        return {"ref": f"refs/heads/{name}", "object": {"type": "commit", "sha": sha}}

    def get_commit(self, sha: str, _: Json) -> Json:
        try:
            out = self.git("show", "-s", "--format=%H%x00%T%x00%P%x00%B", f"{sha}^{{commit}}")
        except Refusal:
            raise Refusal(404, "Not Found") from None
        found, tree, parents, message = out.split("\0", 3)
        url = f"{self.url}/repos/{SLUG}/git"
        return {
            "sha": found,
            "url": f"{url}/commits/{found}",
            "tree": {"sha": tree, "url": f"{url}/trees/{tree}"},
            "parents": [{"sha": p, "url": f"{url}/commits/{p}"} for p in parents.split()],
            "message": message.rstrip("\n"),
        }

    def post_blob(self, body: Json) -> Json:
        assert body["encoding"] == "base64"
        return {"sha": self.git("hash-object", "-w", "--stdin", stdin=base64.b64decode(body["content"]))}

    def post_tree(self, body: Json) -> Json:
        index = str(self.bare / "index.scratch")
        env = {"GIT_INDEX_FILE": index}
        self.git("read-tree", body["base_tree"], env=env)
        lines = []
        for item in body["tree"]:
            if item.get("sha", "") is None:
                lines.append(f"0 {'0' * 40}\t{item['path']}\0")
                continue
            sha = item.get("sha") or self.git("hash-object", "-w", "--stdin", stdin=item["content"].encode())
            lines.append(f"{item['mode']} {sha}\t{item['path']}\0")
        self.git("update-index", "-z", "--index-info", stdin="".join(lines).encode(), env=env)
        return {"sha": self.git("write-tree", env=env)}

    def post_commit(self, body: Json) -> Json:
        env = {}
        for role in ("author", "committer"):
            who = body[role]
            env |= {f"GIT_{role.upper()}_NAME": who["name"], f"GIT_{role.upper()}_EMAIL": who["email"]}
            env[f"GIT_{role.upper()}_DATE"] = who["date"]
        parents = [part for p in body["parents"] for part in ("-p", p)]
        made = self.git("commit-tree", body["tree"], *parents, stdin=body["message"].encode(), env=env)
        return self.get_commit(made, {})

    def post_ref(self, body: Json) -> Json:
        name = body["ref"].removeprefix("refs/heads/")
        if self.tip(name):
            raise Refusal(422, "Reference already exists")
        self.git("update-ref", body["ref"], body["sha"])
        return self.get_ref(name, {})

    # --- pull requests ------------------------------------------------------------------------------

    def list_pulls(self, asked: dict[str, str]) -> list[Json]:
        found = [self.shown(p) for p in reversed(self.pulls)]
        if "head" in asked:
            found = [p for p in found if f"{SLUG.split('/')[0]}:{p['head']['ref']}" == asked["head"]]
        return found

    def shown(self, pull: Json) -> Json:
        """A pull request as GitHub shows it: its head follows the branch until it is closed."""
        if pull["state"] == "open" and (tip := self.tip(pull["head"]["ref"])) and not pull.get("fork"):
            pull["head"]["sha"] = tip
        return {k: v for k, v in pull.items() if k != "fork"}

    def post_pull(self, body: Json, *, fork: str = "") -> Json:
        sha = self.tip(body["head"])
        if any(p["state"] == "open" and p["head"]["ref"] == body["head"] for p in self.pulls):
            raise Refusal(422, "Validation Failed", [{"message": "A pull request already exists for desk:x."}])
        if not fork and (sha is None or self.tip(body["base"]) is None):
            raise Refusal(422, "Validation Failed", [{"resource": "PullRequest", "field": "head", "code": "invalid"}])
        number = len(self.pulls) + 1
        url = f"{self.url}/repos/{SLUG}"
        pull = {
            "number": number,
            "url": f"{url}/pulls/{number}",
            "issue_url": f"{url}/issues/{number}",
            "html_url": f"https://github.example/{SLUG}/pull/{number}",
            "state": "open",
            "title": body["title"],
            "body": body["body"],
            "user": {"login": ACCOUNT[0], "type": "User"},
            "created_at": datetime.fromtimestamp(1_700_000_000 + number, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "head": {"ref": body["head"], "sha": sha or "0" * 40, "repo": {"full_name": fork or SLUG}},
            "base": {"ref": body["base"], "sha": self.tip(body["base"]), "repo": {"full_name": SLUG}},
            "merged": False,
            "merged_at": None,
            "merge_commit_sha": None,
            "auto_merge": None,
            "fork": bool(fork),
        }
        self.pulls.append(pull)
        return self.shown(pull)

    def find(self, number: str) -> Json:
        if int(number) > len(self.pulls):
            raise Refusal(404, "Not Found")
        return self.pulls[int(number) - 1]

    def get_pull(self, number: str, _: Json) -> Json:
        return self.shown(self.find(number))

    def files(self, number: str) -> list[Json]:
        pull = self.shown(self.find(number))
        words = {"A": "added", "M": "modified", "D": "removed"}
        lines = self.git("diff", "--name-status", "--no-renames", f"{pull['base']['sha']}...{pull['head']['sha']}")
        split = [line.split("\t") for line in lines.splitlines()]
        return [{"filename": path, "status": words[status], "sha": "0" * 40} for status, path in split]

    def patch_pull(self, number: str, body: Json) -> Json:
        pull = self.find(number)
        pull["state"] = body.get("state", pull["state"])
        return self.shown(pull)

    def merge_pull(self, number: str, body: Json) -> Json:
        pull = self.find(number)
        shown = self.shown(pull)
        if pull["state"] != "open":
            raise Refusal(405, "Pull Request is not mergeable")
        if body["sha"] != shown["head"]["sha"]:
            raise Refusal(409, "Head branch was modified. Review and try the merge again.")
        base = self.tip(pull["base"]["ref"])
        assert base is not None and body["merge_method"] == "merge"
        try:
            tree = self.git("merge-tree", "--write-tree", base, body["sha"]).splitlines()[0]
        except Refusal:
            raise Refusal(405, "Pull Request is not mergeable") from None
        who = {
            f"GIT_{r}_{k}": v for r in ("AUTHOR", "COMMITTER") for k, v in zip(("NAME", "EMAIL"), ACCOUNT, strict=True)
        }
        message = f"{body['commit_title']}\n\n{body['commit_message']}\n".encode()
        made = self.git("commit-tree", tree, "-p", base, "-p", body["sha"], stdin=message, env=who)
        self.git("update-ref", f"refs/heads/{pull['base']['ref']}", made, base)
        pull.update(state="closed", merged=True, merged_at="2026-01-02T03:04:05Z", merge_commit_sha=made)
        return {"sha": made, "merged": True, "message": "Pull Request successfully merged"}

    def comment(self, number: str, body: Json) -> Json:
        self.comments.append((int(number), body["body"]))
        return {"id": len(self.comments), "body": body["body"]}

    # --- what is asked for ----------------------------------------------------------------------------

    def answer(self, method: str, path: str, asked: dict[str, str], body: Json) -> tuple[int, object]:
        """Status and body of one call."""
        routes: list[tuple[str, str, int, Callable[..., object]]] = [
            ("GET", r"/git/ref/heads/(.+)", 200, lambda n: self.get_ref(n, body)),
            ("GET", r"/git/commits/([0-9a-f]{40})", 200, lambda n: self.get_commit(n, body)),
            ("POST", r"/git/blobs", 201, lambda: self.post_blob(body)),
            ("POST", r"/git/trees", 201, lambda: self.post_tree(body)),
            ("POST", r"/git/commits", 201, lambda: self.post_commit(body)),
            ("POST", r"/git/refs", 201, lambda: self.post_ref(body)),
            ("GET", r"/pulls", 200, lambda: self.list_pulls(asked)),
            ("POST", r"/pulls", 201, lambda: self.post_pull(body)),
            ("GET", r"/pulls/([0-9]+)", 200, lambda n: self.get_pull(n, body)),
            ("GET", r"/pulls/([0-9]+)/files", 200, self.files),
            ("PATCH", r"/pulls/([0-9]+)", 200, lambda n: self.patch_pull(n, body)),
            ("PUT", r"/pulls/([0-9]+)/merge", 200, lambda n: self.merge_pull(n, body)),
            ("POST", r"/issues/([0-9]+)/comments", 201, lambda n: self.comment(n, body)),
        ]
        local = path.removeprefix(f"/repos/{SLUG}")
        for verb, pattern, status, deed in routes:
            found = re.fullmatch(pattern, local)
            if verb == method and found is not None and local != path:
                return status, deed(*found.groups())
        raise Refusal(404, "Not Found")


def serve(hub: Hub) -> ThreadingHTTPServer:
    """A server on a free port of loopback, running until it is shut down."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_call(self) -> None:
            split = urlsplit(self.path)
            path, asked = unquote(split.path), {k: v[0] for k, v in parse_qs(split.query).items()}
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with hub.lock:
                hub.calls.append(f"{self.command} {path}")
                fault = self._fault(path)
                if fault is not None and not fault.after:
                    return self._play(fault)
                headers: dict[str, str] = {}
                try:
                    if self.headers.get("Authorization") != f"token {TOKEN}":
                        raise Refusal(401, "Bad credentials")
                    status, body = hub.answer(self.command, path, asked, json.loads(raw or b"{}"))
                    if isinstance(body, list):
                        body, headers = self._page(path, body, asked)
                except Refusal as refusal:
                    status, body = refusal.status, refusal.body
            if fault is not None:
                return self._play(fault)
            self._send(status, body, headers)
            return None

        do_GET = do_POST = do_PUT = do_PATCH = handle_call  # noqa: N815

        def _fault(self, path: str) -> Fault | None:
            for fault in hub.faults:
                if fault.times > 0 and fault.method == self.command and re.search(fault.path, path):
                    if fault.wait > 0:
                        fault.wait -= 1
                        return None
                    fault.times -= 1
                    return fault
            return None

        def _play(self, fault: Fault) -> None:
            if fault.drop:
                self.close_connection = True
                self.connection.close()
                return
            self._send(fault.status, fault.body, fault.headers)

        def _page(self, path: str, items: list[Json], asked: dict[str, str]) -> tuple[list[Json], dict[str, str]]:
            size, at = hub.page or int(asked.get("per_page", "30")), int(asked.get("page", "1"))
            rest = {k: v for k, v in asked.items() if k != "page"}
            query = "&".join(f"{k}={v}" for k, v in rest.items())
            more = at * size < len(items)
            link = f'<{hub.url}{path}?{query}&page={at + 1}>; rel="next"'
            return items[(at - 1) * size : at * size], {"Link": link} if more else {}

        def _send(self, status: int, body: object, headers: dict[str, str]) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
