"""A real Kubernetes node in namespaces of its own: what ``dist/`` says is tried on a kubelet, not an emulation."""
