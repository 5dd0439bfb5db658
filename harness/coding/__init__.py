"""Modules in Python: a folder like any other, tested in a sandbox, proposed on a branch, never imported here."""
