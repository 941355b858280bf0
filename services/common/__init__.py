"""The chassis of every service and of the hire workflow's API: it knows no service.

Owns how a process starts, stops, listens, logs, authenticates, keeps its events and its answers.
Owns no business rule, no table of a service and no proto but `hireflow.common.v1`.
"""
