"""Named queries by subject: what commands ask of a snapshot, which filters each for its reader."""
