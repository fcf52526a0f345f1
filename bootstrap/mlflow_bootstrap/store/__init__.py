"""The secret store: values made once, kept, and handed to the systems."""
