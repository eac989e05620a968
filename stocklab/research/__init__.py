"""Questions asked of many results: how they differ, and whether the difference is more than luck."""
