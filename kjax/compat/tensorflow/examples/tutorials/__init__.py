"""Packages that tutorials import."""
