"""The objects that point Flux or Argo CD at dist/; they never stand inside a path that they apply."""
