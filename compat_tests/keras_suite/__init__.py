"""Keras's own unit tests, taken from a source archive of Keras, run against kjax."""
