"""The shared kernel: it imports none of the other packages."""
