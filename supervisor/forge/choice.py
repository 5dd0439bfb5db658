"""Which forge a workspace uses: `CWS_FORGE=local` (default) or `github:OWNER/NAME[@API_URL]`."""

from __future__ import annotations

import os

from harness.repository import Repository
from modules.workspace import Workspace
from supervisor.forge.local import LocalGit
from supervisor.forge.port import Forge, ForgeError

VARIABLE = "CWS_FORGE"


def forge_of(workspace: Workspace, choice: str | None = None) -> Forge:
    """The forge named by `choice`, else by the environment. Raises ForgeError, RepositoryError."""
    wanted = (choice if choice is not None else os.environ.get(VARIABLE, "")) or "local"
    repo = Repository(workspace.root)
    if wanted == "local":
        return LocalGit(repo)
    kind, _, rest = wanted.partition(":")
    if kind != "github" or not rest:
        raise ForgeError(f"{VARIABLE} names {wanted!r}", "set it to local or github:OWNER/NAME[@API_URL]")
    from supervisor.forge.github import GitHub
    from supervisor.forge.rest import API_URL, TOKEN, Address

    slug, _, url = rest.partition("@")
    return GitHub(repo, Address(slug, url or API_URL, os.environ.get(TOKEN, "")))
