"""Sound: numpy in, numpy out. No I/O, no clock."""
