"""Scenario and teams in, running worlds out, nothing left afterwards."""
