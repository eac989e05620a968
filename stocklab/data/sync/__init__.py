"""Keep the store up to date: ask the sources for what is missing, keep every answer, write one snapshot or none."""
