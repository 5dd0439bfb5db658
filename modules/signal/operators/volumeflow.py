"""Chart indicators that weigh moves by volume. A running total since the start of history says nothing but where
history began, so those that are published as totals are sums over a window here."""

from __future__ import annotations

from modules.signal.operators.kernelfile import KernelFile
from modules.signal.operators.oscillators import PERCENT
from modules.signal.operators.row import Operator, window
from modules.signal.units import RATIO, of, plain

_HL = ("high", "low")
_HLC = ("high", "low", "close")
_CV = ("close", "volume")
_HLCV = (*_HLC, "volume")
_window, _state = KernelFile("volumeflow").window, KernelFile("volumeflow").state

ROWS: tuple[Operator, ...] = (
    _window("obv", _CV, "sum of volume, with a minus on bars that closed lower and nothing on those that closed equal: "
            "the change of the published running total over `window` bars", of("volume"), "Granville 1963",
            window(default=20), extra_rows=1),
    _window("vwap", _HLCV, "sum of (high + low + close) / 3 * volume / sum of volume; NaN where nothing traded",
            of("close").over(*_HLC), "Berkowitz, Logue and Noser 1988, from bars", window(default=20)),
    _window("mfi", _HLCV, "100 * sum of p * volume where p rose / sum where p changed, p = (high + low + close) / 3; a "
            "change within the rounding of p, 1e-14, is none; NaN where p never changed",
            plain("0 to 100").over(*_HLC), "Quong and Soudack 1989", window(default=14), extra_rows=1),
    _window("cmf", _HLCV, "sum of volume * (2 close - high - low) / (high - low) / sum of volume; a bar without range "
            "adds 0 above", RATIO.over(*_HLC), "Chaikin 1994", window(default=20)),
    _state("chaikin_oscillator", _HLCV, "fast less slow exponential average of the running sum of volume * (2 close - "
            "high - low) / (high - low), both starting at the first bar", of("volume").over(*_HLC), "Chaikin 1994",
            window("fast", default=3), window("slow", default=10), state_rows=3, reach=(("slow",),),
            ascending=("fast", "slow")),
    _state("force_index", _CV, "exponential average of (close - close[t-1]) * volume, starting as the mean of the "
            "first `window`", of("close", "volume"), "Elder 1993, seeded as in TA-Lib", window(default=13),
            state_rows=3, extra_rows=1),
    _window("ease_of_movement", (*_HL, "volume"), "mean of the change of (high + low) / 2 times (high - low) / volume, "
            "without the customary factor for readability; NaN where a bar had no volume",
            of(high=2, volume=-1).over(*_HL), "Arms 1989", window(default=14), extra_rows=1),
    _window("price_volume_trend", _CV, "sum of volume * (close / close[t-1] - 1): the change of the published running "
            "total over `window` bars", of("volume"), "chart practice, after Granville 1963", window(default=20),
            extra_rows=1),
    _state("pvo", ("volume",), "100 * (fast less slow exponential average of volume) / the slow one, as ppo", PERCENT,
            "Appel 1979, on volume", window("fast", default=12), window("slow", default=26), state_rows=3,
            reach=(("slow",),), ascending=("fast", "slow")),
)  # fmt: skip
