"""The signal language: text to tree, tree to values, with the same bits in batch and in stream.

    node = parse("rank(-returns(close, 5))")
    values = evaluate(node, panel)

Numba is imported by the first evaluation, never by reading or printing.
"""

from modules.signal.batch import evaluate, evaluate_all
from modules.signal.canonical import canonical, fields_of, signal_digest, warmup
from modules.signal.check import unit_of
from modules.signal.errors import SignalError
from modules.signal.nodes import Call, Field, Node, Number
from modules.signal.operators import Operator, operators
from modules.signal.parse import parse
from modules.signal.printer import format_signal
from modules.signal.prove import Difference, Proof, prove
from modules.signal.similarity import similarity
from modules.signal.stream import Checkpoint, Stream, Streams

__all__ = [
    "Call", "Checkpoint", "Difference", "Field", "Node", "Number", "Operator", "Proof", "SignalError", "Stream",
    "Streams", "canonical", "evaluate", "evaluate_all", "fields_of", "format_signal", "operators", "parse", "prove",
    "signal_digest", "similarity", "unit_of", "warmup",
]  # fmt: skip
