"""How well turns are taken: any Flux-compatible endpoint on labelled speech."""
