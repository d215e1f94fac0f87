"""The verdict before a generator is trained: what can be gained, what can be seen, what is free.

    result = measure.run(config, data, grouping, out_dir=...)

`features` and `curve` are the fast learner and its learning curves; `first` the reading with it, `reading`
the one with the run's own classifier; `words` puts the figures into one verdict. Nothing here looks at a
test image.
"""
