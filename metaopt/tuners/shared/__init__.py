"""What several tuners have in common."""
