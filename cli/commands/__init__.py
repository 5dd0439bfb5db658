"""One file per sub-command; each has an `app` and is imported only when it is called."""
