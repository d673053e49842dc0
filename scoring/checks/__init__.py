"""Probes that look into a team's world."""
