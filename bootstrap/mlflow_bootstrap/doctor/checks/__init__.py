"""What doctor looks at, a module for each concern."""
