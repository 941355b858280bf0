"""What can be done with proposals: one function per call, each write one visible transaction.

`offering` is what trainers do, `reviewing` what employers do, `hiring` what hires do; `known_jobs`
keeps what the events of jobs tell. `access` says which kinds of caller may do what.
"""
