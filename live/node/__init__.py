"""A real Kubernetes node in namespaces of its own, on which what ``dist/`` says is tried."""
