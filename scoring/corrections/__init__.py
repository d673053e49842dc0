"""Corrections of scores, proposed by one person and approved by another; and disputes of teams."""
