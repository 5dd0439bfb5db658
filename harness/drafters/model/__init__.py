"""The drafter that asks a language model: it proposes, and the grammar, the parser and the reader dispose."""
