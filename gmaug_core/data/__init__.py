"""Images in, images out: datasets on disk, their splits, synthetic samples. No torch."""
