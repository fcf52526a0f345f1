"""Who may do what: one table a release of every route that it serves, and the engine that asks it at each request."""
