"""The factor sheet: what a signal knows before anybody sizes it, as one HTML page, pictures and figures.

`material.py` lays signal, forward returns, quantiles and sectors on one pair of axes; `information.py`, `quantiles.py`,
`turnover.py` and `trading.py` count; `charts*.py` draw; `page.py` and `write.py` put it together.
"""

from harness.sheet.errors import SheetError
from harness.sheet.figures import Sheet, Subject, make_sheet
from harness.sheet.write import SheetPaths, write_sheet

__all__ = ["Sheet", "SheetError", "SheetPaths", "Subject", "make_sheet", "write_sheet"]
