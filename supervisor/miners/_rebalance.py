"""How fast a book turns against how fast its signal fades.

With a lag-one rank autocorrelation r the ranks' half-life is h = ln(1/2) / ln(r) bars. A book that turns over
once a half-life trades 2 * gross exposure / h a bar.
"""

from __future__ import annotations

from typing import Final

TURNOVER_OVER_SUPPORTED: Final = """
SELECT z.name, z.run_id,
       x.metrics['turnover'] / x.metrics['bars_per_year']
       / (2 * x.metrics['mean_gross_exposure'] * ln(f.metrics['rank_autocorrelation']) / ln(0.5)) AS value
FROM in_force z JOIN stages f USING (run_id) JOIN stages x USING (run_id)
WHERE z.stage = 'size' AND f.stage = 'feature' AND x.stage = 'execute' AND x.metrics['mean_gross_exposure'] > 0
      AND f.metrics['rank_autocorrelation'] > 0 AND f.metrics['rank_autocorrelation'] < 1
"""
"""(name of the sizing, run, times one turn of the book a half-life), where the ranks have a half-life."""
