"""Names of earlier versions that are still accepted: keys in files, options and commands. Nothing writes them."""

EARLIER_KEYS: dict[str, dict[str, str]] = {
    "Training": {"from": "from_"},
}
"""Record -> earlier key -> the field that it is now."""


def current_key(record: str, key: str) -> str:
    """Return the field of a record for which `key` stands, which may be its earlier name."""
    return EARLIER_KEYS.get(record, {}).get(key, key)
