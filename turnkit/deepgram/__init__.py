"""What Deepgram's services have in common: where they are, and how a client is let in."""
