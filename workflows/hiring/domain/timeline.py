"""The story of a hire in business words."""

from workflows.hiring.domain.hire import FIRST_STEP, Fact, HireChanges, HireState, HireStep, fact_of

_SENTENCES = {
    "requested": "The hire was asked for.",
    "reserved": "The proposal and a position were reserved.",
    "contract_created": "The contract and its first milestone were written down, not yet funded.",
    "terms_superseded": "Other terms replaced the unpaid ones.",
    "terms_refused": "Other terms came too late: the first ones are paid.",
    "payment_action_needed": "The client has to confirm the payment.",
    "payment_declined": "The payment was declined; another method is needed.",
    "payment_processing": "The bank is processing the payment.",
    "payment_canceled": "The payment was cancelled at Stripe; another method is needed.",
    "payment_paid": "The payment succeeded: from here the hire only goes forward.",
    "payment_settled_canceled": "The payment was made final at Stripe: nothing was charged.",
    "payment_settled_paid": "The payment was made final at Stripe: it had succeeded.",
    "payment_settled_processing": "The bank still decides on the payment; it is waited for.",
    "deadline_extended": "The client was given longer to pay.",
    "contract_activated": "The charge was booked, the contract became active, the invoice issued.",
    "thread_opened": "The job thread was opened.",
    "thread_skipped": "The hire went on without its job thread.",
    "hired": "The trainer is hired: the proposal is marked, the position filled.",
    "blocked": "The step was refused for good; an operator is waited for.",
    "retry_ordered": "The blocked step was to be tried again.",
    "refund_ordered": "Everything was to be given back.",
    "refunded": "Stripe refunded the charge in full.",
    "refund_booked": "The late charge and its refund were booked.",
    "contract_refunded": "The refund was booked and the contract closed.",
    "contract_cancelled": "The contract was cancelled.",
    "undone": "The proposal and the position are free again: the hire ended undone.",
}
_FACTS = {
    "hired": Fact.COMPLETED,
    "blocked": Fact.BLOCKED,
    "terms_superseded": Fact.SUPERSEDED,
}


def sentence_of(step: HireStep) -> str:
    """Tell a step in a sentence."""
    return _SENTENCES.get(step.what) or f"{step.what.replace('_', ' ').capitalize()}."


def fact_told(step: HireStep) -> Fact | None:
    """Tell which fact a step made, and so which event; None for the request, which began all."""
    if step.number == FIRST_STEP:
        return None
    if step.what == "undone":
        return fact_of(HireChanges(state=HireState.UNDONE, end_reason=step.reason))
    return _FACTS.get(step.what, Fact.STAGE_CHANGED)
