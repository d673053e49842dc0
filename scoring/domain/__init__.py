"""The rules of scoring: pure, without I/O."""
