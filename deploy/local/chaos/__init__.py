"""Chaos: hires of every kind while processes die, freeze and lose their connections.

`plan` draws everything from one seed before anything happens; `people` drive the hires as gateways
and clients would; `strikes` break things; `run` puts them together and asks the independent
checker for the verdict.
"""
