"""What can be done with jobs: one function per call, each write one visible transaction.

`lifecycle` is what members do with their jobs, `positions` what hires do in them, `reading` what
anybody may see, `proposal_counts` what the events of proposals leave behind.
"""
