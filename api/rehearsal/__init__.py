"""Rehearsals: a scenario is built, played by its own solution and removed, as a proof."""
