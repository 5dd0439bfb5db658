"""Facts on companies: which concepts there are, how files are read, and how a set of them is registered."""
