"""Cell spaces of NAS-Bench-1Shot1: their cells, the graphs these stand for, and the NAS-Bench-101 hash."""
