"""What a run of each kind does: one file a kind, named by its record in runs.kinds, called by the worker."""
