"""What stays open between a page and the service: terminals."""
