"""A user's own repository: created by ``new``, renewed by ``upgrade``."""
