"""The names that `ablations/material.py` reads here until its certificates are made again."""

from ablations.executors.port import Executor
from ablations.executors.serial import Serial

__all__ = ["Executor", "Serial"]
