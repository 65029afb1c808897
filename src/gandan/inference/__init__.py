"""What the numbers allow: pure functions on arrays that say how sure one may be.

Estimates from designed samples, small areas, rank sets, sampling plans, figures restated onto another map, and
what may be published. It sees codes and numbers, never persons; it takes one stream at a time. Import the module
that is needed (`gandan.inference.estimates`): importing the package itself loads neither numpy nor scipy.
"""
