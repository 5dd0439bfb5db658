"""Ingest: raw rows as they came, to bitemporal records and instruments."""
