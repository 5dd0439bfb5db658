"""One unattended night: what to try next, within a budget of seconds, from nothing but the ledger."""
