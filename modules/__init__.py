"""The syllabus: contracts, the signal language, the engine, and one folder per pipeline module."""
