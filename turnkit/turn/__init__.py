"""Who has the floor: pure, and standard library only."""
