"""Almgren and Chriss, "Optimal execution of portfolio transactions" (Journal of Risk 3(2), 2000), closed form.

The symbols are the paper's. X shares are sold (or bought) in N intervals of tau days; x_j are held after j of them, n_j
are traded in interval j. A share moves by sigma a square root of a day; a trade of n in tau moves the price for good by
gamma * n, and pays epsilon + eta * n / tau a share. Least of E + lambda * V is

    x_j = X sinh(kappa (T - t_j)) / sinh(kappa T),    2 (cosh(kappa tau) - 1) = tau^2 lambda sigma^2 / eta~,
    eta~ = eta - gamma tau / 2

(equations 16 to 18). The ratio of the two sines is built by adding positive terms alone (s_{m+1} - s_m = s_m -
s_{m-1} + 2 (cosh(kappa tau) - 1) s_m), so it has no transcendental function, loses no digits, and has the same bits
anywhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from modules.live.algorithms.parent import AlgorithmError

_LARGE = 1e200


@dataclass(frozen=True)
class Impact:
    """What trading does to a price: money a share, days, shares.

    `sigma`: volatility a square root of a day; `eta`: money a share for a rate of one share a day; `gamma`: money a
    share for each share traded, for good; `epsilon`: half of the spread, with fees.
    """

    sigma: float
    eta: float
    gamma: float = 0.0
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        for name in ("sigma", "eta", "gamma", "epsilon"):
            value = getattr(self, name)
            if not 0.0 <= value < math.inf or (name == "eta" and value == 0.0):
                raise AlgorithmError(f"{name} = {value}; impact is finite and not below 0, eta above 0")

    def eta_less(self, tau: float) -> float:
        """eta~ of the paper. Raises AlgorithmError where permanent impact outweighs the temporary."""
        left = self.eta - 0.5 * self.gamma * tau
        if left <= 0.0:
            raise AlgorithmError(
                f"eta - gamma * tau / 2 = {left:g} at tau = {tau:g} days: trading slower would cost more at once; "
                "give shorter slices, a larger eta or a smaller gamma"
            )
        return left


def impact_of(price: float, sigma_day: float, adv_shares: float, spread: float) -> Impact:
    """The paper's own calibration (section 3.4): trading at 1 % of the day's volume costs a spread, selling 10 % of it
    moves the price by one for good; half a spread is paid in any case. `sigma_day`: volatility of a day's return.

    Raises AlgorithmError for what is not above 0.
    """
    for name, value in (("price", price), ("sigma_day", sigma_day), ("adv_shares", adv_shares), ("spread", spread)):
        if not 0.0 < value < math.inf:
            raise AlgorithmError(f"{name} = {value}; must be finite and above 0")
    return Impact(
        sigma=sigma_day * price,
        eta=spread / (0.01 * adv_shares),
        gamma=spread / (0.1 * adv_shares),
        epsilon=0.5 * spread,
    )


def held(count: int, tau: float, impact: Impact, risk_aversion: float) -> tuple[float, ...]:
    """x_j / X for j = 0..N: from 1 to 0. `risk_aversion` is lambda, one over money; 0 = in step with the clock."""
    if count < 1 or not tau > 0.0:
        raise AlgorithmError(f"{count} intervals of {tau} days; give at least one, and a length above 0")
    if not 0.0 <= risk_aversion < math.inf:
        raise AlgorithmError(f"risk_aversion = {risk_aversion}; must be finite and not below 0")
    step = risk_aversion * impact.sigma * impact.sigma * tau * tau / impact.eta_less(tau)
    if not step < math.inf:
        raise AlgorithmError(f"risk_aversion = {risk_aversion:g} is beyond all numbers here; give a smaller one")
    sines, rise = [0.0, 1.0], 1.0
    for _ in range(count - 1):
        rise += step * sines[-1]
        sines.append(sines[-1] + rise)
        if sines[-1] > _LARGE:
            largest = sines[-1]
            sines, rise = [s / largest for s in sines], rise / largest
    return tuple(s / sines[-1] for s in reversed(sines))


@dataclass(frozen=True)
class Expected:
    """Cost of a trajectory in money: its expectation E and its variance V (equations 5 and 6 of the paper)."""

    cost: float
    variance: float


def expected(shares: float, left: tuple[float, ...], tau: float, impact: Impact) -> Expected:
    """What a trajectory costs. `left`: x_j / X as `held` gives it."""
    x = [shares * share for share in left]
    n = [a - b for a, b in pairwise(x)]
    temporary = impact.epsilon * math.fsum(abs(v) for v in n) + impact.eta / tau * math.fsum(v * v for v in n)
    permanent = impact.gamma * math.fsum(v * after for v, after in zip(n, x[1:], strict=True))
    variance = impact.sigma**2 * tau * math.fsum(v * v for v in x[1:])
    return Expected(temporary + permanent, variance)
