"""Scores of spotted intervals: logs, matching, every convention, spot-then-recognise, what is wrong."""
