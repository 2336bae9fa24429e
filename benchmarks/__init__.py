"""What turnkit costs, gains and is worth, each with the command that measures it."""
