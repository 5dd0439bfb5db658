"""What a human or a machine sees of the live system, off the path of every order.

`watcher.py` looks: it asks the risk core and the desk over their sockets, as a viewer, and follows the desk's journal;
nothing of it runs in their processes. What it saw is a `Seen` (`seen.py`). From that come metrics (`metrics.py`,
Prometheus), alerts (`rules.py`, `alerts.py`, told by `notify.py`) and spans (`tracing.py`, OpenTelemetry).
"""
