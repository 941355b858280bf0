"""Every table of contracts and every query on them.

`contracts` keeps what was agreed, `money` what was charged and booked, `invoices` the papers.
"""
