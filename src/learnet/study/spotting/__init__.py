"""Studies of spotting: long recordings of a database, thresholds chosen on other people, scores, logs."""
