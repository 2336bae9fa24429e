"""`python -m turnkit` is `turnkit`."""

from turnkit.cli import main

main()
