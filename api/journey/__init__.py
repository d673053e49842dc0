"""An exercise played from outside, as its people live it: what the demo and the tests check."""
