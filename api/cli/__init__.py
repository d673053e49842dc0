"""The command line, `poligon`."""
