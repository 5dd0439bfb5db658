"""Whether a candidate is new: how like it is to every signal that is known, and how sure that makes us."""
