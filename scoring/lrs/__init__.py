"""Results told to a learning record store (LRS): booked as statements first, then delivered."""
