"""Ingest of the bundled data sets."""
