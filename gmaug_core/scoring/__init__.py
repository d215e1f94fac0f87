"""How alike images are, and the law from that to the gain."""
