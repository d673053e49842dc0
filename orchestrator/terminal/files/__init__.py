"""Files of a host: read and written as the login's account, and written down as they pass."""
