"""The embedded Flux-compatible engine: turn-taking with no key and no network."""
