"""What the result document of an augmentation run is made of, by subject."""
