"""What can be done with proposals: one function per call, each write one visible transaction.

`offering` is what trainers do, `reviewing` what employers do, `hiring` what hires do.
"""
