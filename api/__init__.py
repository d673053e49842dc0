"""Every way in: REST, pages and the command line."""
