"""Where orders meet a market. `port.py` says what a venue is; each adapter passes the same conformance suite.

Only the risk core's process opens one (`modules/live/riskd/`).
"""
