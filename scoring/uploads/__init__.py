"""Files that teams hand in: received, looked at, kept by their content, and counted in time."""
