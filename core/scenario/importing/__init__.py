"""Content of other programs as drafts of scenarios: compose files, CTF challenges, topologies."""
