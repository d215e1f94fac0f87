"""Long measurements: each a module, its figures in results/."""
