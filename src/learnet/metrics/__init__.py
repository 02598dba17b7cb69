"""Scores, significance tests, scoring conventions and published figures."""
