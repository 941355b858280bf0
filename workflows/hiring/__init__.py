"""Hiring: the hire's own data and API, and the story that every activity writes into it.

Owns hires with their terms, steps and requests, fundings and refunds as they were ordered, the
organisations' customers at the payment provider, and the provider's events as received. Owns no
contract, no ledger and no thread, and drives nothing: the workflow does, and is never queried.
"""
