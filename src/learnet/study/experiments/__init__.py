"""Experiments: several studies described by one TOML recipe."""
