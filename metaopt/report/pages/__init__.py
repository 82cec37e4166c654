"""Which sections a page has, and in which order."""
