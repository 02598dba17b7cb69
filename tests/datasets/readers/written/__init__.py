"""Databases of invented people and clips, written cell by cell and file by file."""
