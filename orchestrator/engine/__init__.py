"""The container engine behind the ports: the only importer of docker."""
