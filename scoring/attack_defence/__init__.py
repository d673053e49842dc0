"""Attack and defence as it is played: rounds that open and close, looks, captures, their board."""
