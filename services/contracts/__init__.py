"""Owns contracts: what was agreed, the milestones, the double-entry ledger and the papers.

It computes what a milestone costs and books what Stripe did, as the hire workflow tells it. It
never talks to Stripe, decides nothing about hiring, and knows jobs, proposals and hires by their
ids alone. Taxes are out of scope and every invoice says so.
"""
