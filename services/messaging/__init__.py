"""Owns threads and messages: what employers and trainers write to each other.

It knows of a proposal only who takes part in it, as the events of proposals told, and of a hire
only the contract whose thread it opens. Nothing that people wrote leaves it but to those who may
read the thread.
"""
