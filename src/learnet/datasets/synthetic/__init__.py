"""Synthetic databases and motion images."""
