"""What TensorFlow 1 kept among its examples, and tutorials import."""
