"""Finding out what is wrong with an endpoint, or with a self-hosted one's files, and what to do."""
