"""The ranking study: how well the supernets of a one-shot optimizer rank the cells of their space.

Supernets are trained with several seeds. Each scores the same cells under every kind of batch norm statistics and with
every defect of the published evaluation, and the scores are compared with the table.
"""
