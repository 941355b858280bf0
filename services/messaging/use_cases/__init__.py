"""What can be done with threads: one function per call, each write one visible transaction.

`opening` begins threads, `writing` adds messages, `reading` is what each caller may see,
`channels` who is in which group, `known_proposals` what the events of proposals leave behind.
"""
