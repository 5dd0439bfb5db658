"""The research agents: from a hypothesis in plain words to a checked, screened and written module."""
