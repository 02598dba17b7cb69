"""Studies: a network trained and tested on every fold, with every outcome on disk."""
