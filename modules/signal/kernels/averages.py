"""Moving averages beyond the plain mean."""
