"""Market data: from what a feed says to books, reference prices and closed bars.

`news.py` is what a feed may say; a Feed (`port.py`) says it: recorded (`recorded.py`), or over a WebSocket
(`websocket.py`) in the words of a venue (`dialects/`). `market.py` takes it in: `sync.py` keeps the sequence, `book.py`
the levels, `gates.py` the quality; `bars.py` closes bars, and `health.py` says when nothing may be opened.
"""
