"""Tables: stored evaluations of cells, how they are built, read and asked."""
