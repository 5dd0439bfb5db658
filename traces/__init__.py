"""What happened, as typed events in an append-only, hash-chained, signed ledger."""
