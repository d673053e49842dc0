"""The SSH front: the only importer of asyncssh."""
