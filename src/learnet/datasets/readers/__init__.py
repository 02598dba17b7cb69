"""Readers: one per database, as its owners ship it."""
