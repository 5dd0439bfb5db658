"""Reads the board again and again at the price of what is new: the ledger is followed, git and certificates are asked
only where they may have changed."""

from __future__ import annotations

from ablations.trials import next_level
from modules.workspace import Workspace
from supervisor.board.board import MOST_VERDICTS, Board, Standing, make_board
from supervisor.board.facts import RequestLine
from supervisor.board.fold import KINDS, Fold
from supervisor.board.standing import certificates, open_requests, refs, repository
from traces.reader import Follower


class BoardReader:
    """The board of one workspace. One thread at a time. Writes nothing."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._repo = repository(workspace)
        self._fold = Fold()
        self._follower = Follower(workspace.ledger, workspace.checkpoints, kinds=KINDS)
        self._refs: tuple[object, ...] | None = None
        self._requests: tuple[tuple[RequestLine, ...], int] | None = None
        self._level: tuple[int, float] | None = None

    def read(self, most: int = MOST_VERDICTS) -> Board:
        """The board as of now. Raises LedgerError, RepositoryError."""
        for envelope in self._follower.new():
            self._fold.take(envelope)
        events = self._follower.mark.seq
        return make_board(self._workspace.root.name, self._fold, events, self._read_standing(), self._next(), most)

    def _read_standing(self) -> Standing:
        lines = certificates(self._workspace)
        if self._repo is None:
            return Standing(lines, None, 0)
        now = refs(self._repo)
        if self._requests is None or now != self._refs:
            self._refs, self._requests = now, open_requests(self._repo)
        return Standing(lines, *self._requests)

    def _next(self) -> float:
        """The level that the next trial would get: computed anew where a trial was added."""
        trials = len(self._fold.tested)
        if self._level is None or self._level[0] != trials:
            self._level = trials, next_level(rejected for _, rejected in self._fold.tested.values())
        return self._level[1]


def read_board(workspace: Workspace, most: int = MOST_VERDICTS) -> Board:
    """The board of `workspace`, read once."""
    return BoardReader(workspace).read(most)
