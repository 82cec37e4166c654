"""What is drawn, from the journals of runs."""
