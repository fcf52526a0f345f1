"""The public door: an ingress controller that knows what the Ingress, its Middlewares and its Service say, no more."""
