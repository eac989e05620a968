"""What is done with a saved strategy beside editing it: sharing, history, notes, files."""
