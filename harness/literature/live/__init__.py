"""Sources outside: OpenAlex, arXiv, Semantic Scholar, and documents given by hand; every answer on a tape."""
