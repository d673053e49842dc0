"""A scenario: from a folder with one YAML file to closed types, values and rendered files."""
