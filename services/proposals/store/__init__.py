"""Every table of proposals and every query on them.

`jobs` keeps what events told of jobs, `profiles` and `proposals` what trainers write,
`reservations` what hires hold.
"""
