"""Owns jobs: what an organisation wants done, their state, and their positions.

It also counts each job's live proposals, as far as the events of proposals told. It knows nothing
of hires but their ids, nothing of contracts but the id that fills a position, and never decides
whom to hire.
"""
