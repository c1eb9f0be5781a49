"""Damaged files by the thousand for the readers: each has to be read, or to end in one clear error."""
