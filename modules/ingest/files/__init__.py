"""Ingest of the reader's own CSV and Parquet files."""
