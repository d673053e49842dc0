// Nothing moves on this portal.
