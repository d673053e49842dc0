"""The rules of an exercise and its worlds: pure, without I/O."""
