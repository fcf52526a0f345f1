"""More of a node than ``make live`` needs: what watches it, disturbs it, and reaches it as a user does."""
