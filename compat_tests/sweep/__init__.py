"""Layers drawn at random, with their arguments and inputs, in kjax and in today's Keras, to be compared."""
