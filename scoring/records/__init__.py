"""Training records: what was achieved, by whom, in which exercise."""
