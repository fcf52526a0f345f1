"""What changes upstream, one package a release."""
