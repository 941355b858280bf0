"""Payments: the one funding flow, the ports it needs, Stripe behind them, and the webhook."""
