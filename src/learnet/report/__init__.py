"""Pages, tables and figures of studies."""
