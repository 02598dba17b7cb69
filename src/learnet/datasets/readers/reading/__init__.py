"""What readers share: spreadsheets, folder trees, matching labels with clips."""
