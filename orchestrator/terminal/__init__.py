"""One terminal session: what runs in a host for one person, whatever carries it to them."""
