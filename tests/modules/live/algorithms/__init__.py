"""Algorithms: schedules, routing, and that no child is ever more than its parent has left."""
