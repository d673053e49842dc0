"""Boards: drawn from standings, kept for each audience, frozen, and shown to the public."""
