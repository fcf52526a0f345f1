"""Images that only tests build."""
