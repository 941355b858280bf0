"""What can be done with jobs: one function per call, each write one visible transaction.

`lifecycle` is what members do with their jobs, `invitations` whom they invite, `foldering` how they
group them, `instructing` what hired trainers are to do; `positions` is what hires do in jobs,
`reading` what anybody may see. `proposal_counts` and `known_work` keep what the events of proposals
and contracts tell; `access` says who may call what.
"""
