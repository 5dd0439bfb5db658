"""Where things lie in every sandbox."""

WORK = "/work"
TEMPORARY = ".tmp"  # in WORK
