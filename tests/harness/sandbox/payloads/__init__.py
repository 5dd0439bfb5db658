"""Programs that try to get out of a sandbox, each a function. They run inside only, and every one knows when to stop:
a hole must not hurt the machine that finds it."""
