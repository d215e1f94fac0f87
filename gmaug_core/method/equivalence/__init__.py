"""Equivalence: what synthetic images are worth in real ones, and how many of them replace a real one.

    found = exchange.measure(cells, right, labels, tail)

`result` is what a run leaves behind; `curves` the fitted curves of accuracy against images added; `exchange`
reads one off the other, with intervals; `published` fits the published form; `words` says it.
"""
