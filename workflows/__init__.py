"""The hire: its workflow, its payments, its own data and API. Nothing but `deploy` imports it."""
