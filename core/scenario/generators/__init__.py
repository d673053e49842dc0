"""Generators of evidence: logs, captures, mailboxes and disks that tell a story, dated in it."""
