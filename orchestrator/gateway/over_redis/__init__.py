"""Inner doors of gateways on other machines, over Redis."""
