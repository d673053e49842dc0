"""The database's history, one file a step; every step can be undone."""
