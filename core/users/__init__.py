"""People who may log in: their role, password, keys and tokens."""
