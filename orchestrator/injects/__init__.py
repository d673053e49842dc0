"""Injects of running exercises: going out, being held or skipped, replies and expectations."""
