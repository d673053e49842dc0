"""The rules of attack and defence: rounds, flags that are taken, and what both are worth."""
