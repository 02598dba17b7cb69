"""Compare studies: paired tests, tables, files."""
