"""Prepared folders: motion images of a dataset on disk."""
