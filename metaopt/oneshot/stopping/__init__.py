"""When a search stops early, or goes back."""
