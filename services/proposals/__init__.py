"""Proposals: trainers' profiles, what they offer, and how the employer reviews it.

Owns profiles, proposals, the employer's review and the hire's reservation beside it. Knows of jobs
only what their events tell. Does not own threads, contracts or hires.
"""
