"""Cross-asset relations."""
