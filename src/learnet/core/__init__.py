"""What every package may use: records, labels, settings, errors, files, parallel maps."""
