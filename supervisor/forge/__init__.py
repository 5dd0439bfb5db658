"""Where pull requests live: a port with local git and GitHub behind it. Nothing else in `supervisor/` writes to git."""
