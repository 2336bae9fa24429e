"""turnkit: turn-taking for voice agents."""
