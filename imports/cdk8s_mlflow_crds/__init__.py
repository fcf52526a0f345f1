"""Classes of the custom resources that the manifests use, generated from ``crds/`` by `make imports`."""
