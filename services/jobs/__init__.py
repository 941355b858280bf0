"""Owns jobs: what an organisation wants done, their state, positions, and what goes with them.

That is screening plans, invitations, folders and instructions. By the events of others it counts
each job's live proposals, and keeps how the contracts and milestones on a job stand, for its
archive and its instructions. It knows nothing of hires but their ids and what they hold, and never
decides whom to hire.
"""
