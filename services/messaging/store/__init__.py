"""Every table of messaging and every query on them.

`threads` keeps proposals and the threads that come of them, `messages` what is written there.
"""
