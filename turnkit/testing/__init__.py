"""What turnkit tests itself with, for testing your own agents."""
