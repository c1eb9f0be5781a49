"""`tensorflow.python.client`: which devices there are."""
