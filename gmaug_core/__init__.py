"""GMAug: will deep generative augmentation pay on this imbalanced image dataset, and what was it worth?"""

__version__ = "0.1.0"
