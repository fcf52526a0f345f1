"""The secret store: values created once, kept, and handed to the systems."""
