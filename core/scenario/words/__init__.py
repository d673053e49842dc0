"""Word lists that values are made of."""
