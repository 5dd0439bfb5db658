"""The skill registry: one folder per skill with a SKILL.md, and the loader that reads them."""
