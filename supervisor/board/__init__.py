"""The loop at a glance: what was found, tried, shipped and merged, and what it cost, read from the ledger and git."""

from supervisor.board.board import Board
from supervisor.board.page import render
from supervisor.board.watch import BoardReader, read_board

__all__ = ["Board", "BoardReader", "read_board", "render"]
