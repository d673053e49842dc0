"""What teams achieved: facts, the ledger that follows from them, boards and training records."""
