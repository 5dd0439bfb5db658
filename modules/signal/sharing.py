"""Common work below the operators: deviations, squares and products over one window are computed once for all.

An operator is taken apart only where another one needs a part of it too, or where its parts are cheaper; put together
they have its bits (`modules.signal.kernels.parts`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from modules.signal.operators import Kernel
from modules.signal.plan import Apply, Part, Plan, Step, Twin

# What a part is known by: its name, the steps of the plan that it is of, and its window.
Piece = tuple[str, tuple[int, ...], int]

_OF_ONE = {
    "ts_var": ("centre", "squares"),
    "ts_std": ("centre", "squares"),
    "ts_zscore": ("centre", "squares"),
    "ts_slope": ("centre", "times"),
    "ts_resid": ("centre", "times"),
    "ts_rsquare": ("centre", "squares", "times"),
}
_OF_TWO = ("ts_cov", "ts_corr", "ts_beta")
_TRUTHS = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not", "is_missing"})
_QUANTILES = ("ts_quantile", "ts_median")


def part_kernel(name: str) -> Kernel:
    """The kernel of a part. The first use imports numba."""
    from modules.signal.kernels import parts

    return cast("Kernel", getattr(parts, name))


def share_parts(plan: Plan) -> Plan:
    """The same plan with what operators have in common computed once."""
    wanted = Counter(piece for step in plan.steps for piece in _pieces(step))
    return _Sharing(plan, wanted).plan()


def _pieces(step: Step) -> tuple[Piece, ...]:
    """The parts that an operator consists of; none for one that is never taken apart."""
    if not isinstance(step, Apply):
        return ()
    name, of = step.operator.name, step.inputs
    if name in _OF_ONE:
        return tuple((part, of, int(step.numbers[0])) for part in _OF_ONE[name])
    if name in _OF_TWO:
        window = int(step.numbers[0])
        squared = {"ts_cov": (), "ts_corr": of, "ts_beta": of[1:]}[name]
        product: Piece = ("products", tuple(sorted(of)), window)
        centres = tuple(("centre", (i,), window) for i in dict.fromkeys(of))
        return (*centres, *(("squares", (i,), window) for i in dict.fromkeys(squared)), product)
    return ()


class _Sharing:
    """The steps of the new plan as they grow, and where those of the old one have gone."""

    def __init__(self, plan: Plan, wanted: Counter[Piece]) -> None:
        self._old, self._wanted = plan, wanted
        self._steps: list[Step] = []
        self._moved: dict[int, int] = {}
        self._parts: dict[Piece, int] = {}
        self._levels = _levels(plan.steps)

    def plan(self) -> Plan:
        """The new plan."""
        for i, step in enumerate(self._old.steps):
            if i not in self._moved:
                self._moved[i] = self._placed(i, step)
        return Plan.of(self._steps, [self._moved[o] for o in self._old.outputs])

    def _add(self, step: Step) -> int:
        self._steps.append(step)
        return len(self._steps) - 1

    def _placed(self, i: int, step: Step) -> int:
        if not isinstance(step, Apply):
            return self._add(step)
        name = step.operator.name
        if any(self._wanted[piece] > 1 for piece in _pieces(step)):
            return self._together(step, int(step.numbers[0]))
        if name == "ts_mean" and self._is_truth(step.inputs[0]):
            (x,), (window,) = self._inputs(step), step.numbers
            return self._add(Part("share_true", (x,), (), (window,), int(window)))
        if name in _QUANTILES and len(self._levels[_sorted_window(step)]) > 1:
            return self._quantiles(i, step)
        return self._add(replace(step, inputs=self._inputs(step)))

    def _inputs(self, step: Apply) -> tuple[int, ...]:
        return tuple(self._moved[source] for source in step.inputs)

    def _is_truth(self, source: int) -> bool:
        step = self._old.steps[source]
        return isinstance(step, Apply) and step.operator.name in _TRUTHS

    def _quantiles(self, i: int, step: Apply) -> int:
        """This quantile, and with it another one of the same window."""
        alike = self._levels[_sorted_window(step)]
        twin = next((j for j in alike if j > i and j not in self._moved), None)
        if twin is None:
            return self._add(replace(step, inputs=self._inputs(step)))
        window = int(step.numbers[0])
        levels = tuple(_level(self._old.steps[j]) for j in (i, twin))
        own = self._add(Part("quantiles", self._inputs(step), (), (window, *levels), window, twin=True))
        self._moved[twin] = self._add(Twin(own))
        return own

    def _together(self, step: Apply, window: int) -> int:
        """An operator from its parts."""
        of = step.inputs
        x = self._moved[of[0]]

        def ending(kernel: str, *beside: int, numbers: tuple[float, ...] = (window,), back: bool = False) -> int:
            return self._add(Part(kernel, (x,) if back else (), beside, numbers, window if back else 1))

        match step.operator.name:
            case "ts_var":
                return ending("variance", self._squares(of[0], window))
            case "ts_std":
                return ending("deviation", self._squares(of[0], window))
            case "ts_zscore":
                return ending("score", self._centre(of[0], window), self._squares(of[0], window), back=True)
            case "ts_slope":
                return ending("slope", self._times(of[0], window))
            case "ts_resid":
                return ending("residual", self._centre(of[0], window), self._times(of[0], window), back=True)
            case "ts_rsquare":
                return ending("straightness", self._times(of[0], window), self._squares(of[0], window))
            case "ts_cov":
                return ending("covariance", self._products(of, window))
            case "ts_beta":
                return ending("beta", self._products(of, window), self._squares(of[1], window), numbers=())
            case _:
                product = self._products(of, window)
                squares = [self._squares(i, window) for i in of]
                return ending("correlation", product, *squares, numbers=())

    def _centre(self, of: int, window: int) -> int:
        piece: Piece = ("centre", (of,), window)
        if piece not in self._parts:
            self._parts[piece] = self._add(Part("centre", (self._moved[of],), (), (window,), window))
        return self._parts[piece]

    def _squares(self, of: int, window: int) -> int:
        self._squares_and_times("squares", of, window)
        return self._parts["squares", (of,), window]

    def _times(self, of: int, window: int) -> int:
        self._squares_and_times("times", of, window)
        return self._parts["times", (of,), window]

    def _squares_and_times(self, name: str, of: int, window: int) -> None:
        """One of the two; both in one pass where both are needed and neither is there."""
        squares: Piece = ("squares", (of,), window)
        times: Piece = ("times", (of,), window)
        if (name, (of,), window) in self._parts:
            return
        mean, x, numbers = self._centre(of, window), (self._moved[of],), (window,)
        if self._wanted[squares] and self._wanted[times] and squares not in self._parts and times not in self._parts:
            self._parts[squares] = self._add(Part("squares_times", x, (mean,), numbers, window, twin=True))
            self._parts[times] = self._add(Twin(self._parts[squares]))
        else:
            self._parts[name, (of,), window] = self._add(Part(name, x, (mean,), numbers, window))

    def _products(self, of: tuple[int, ...], window: int) -> int:
        """Of two series; with the squares of the second, if only this pair needs them."""
        x, y = sorted(of)
        piece: Piece = ("products", (x, y), window)
        if piece in self._parts:
            return self._parts[piece]
        alone = [i for i in (x, y) if self._wanted["squares", (i,), window] == self._wanted[piece]]
        if len(alone) == 1 and ("squares", (alone[0],), window) not in self._parts:
            x, y = (y, x) if alone[0] == x else (x, y)
        means = (self._centre(x, window), self._centre(y, window))
        both, numbers = (self._moved[x], self._moved[y]), (window,)
        if len(alone) == 1 and ("squares", (y,), window) not in self._parts:
            self._parts[piece] = self._add(Part("products_squares", both, means, numbers, window, twin=True))
            self._parts["squares", (y,), window] = self._add(Twin(self._parts[piece]))
        else:
            self._parts[piece] = self._add(Part("products", both, means, numbers, window))
        return self._parts[piece]


def _levels(steps: Sequence[Step]) -> dict[tuple[int, float], list[int]]:
    """The quantile steps of each sorted window."""
    found: dict[tuple[int, float], list[int]] = defaultdict(list)
    for i, step in enumerate(steps):
        if isinstance(step, Apply) and step.operator.name in _QUANTILES:
            found[_sorted_window(step)].append(i)
    return found


def _sorted_window(step: Apply) -> tuple[int, float]:
    return step.inputs[0], step.numbers[0]


def _level(step: Step) -> float:
    assert isinstance(step, Apply)
    return 0.5 if step.operator.name == "ts_median" else float(step.numbers[1])
