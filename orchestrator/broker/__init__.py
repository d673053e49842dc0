"""A process that holds the engine's socket, and enters hosts with it for those that do not."""
