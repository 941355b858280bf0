"""Giving a charge back in full, once: for the hire that undoes itself and for late facts."""

from workflows.hiring.domain import RefundDraft
from workflows.hiring.use_cases.fundings import note_refund_sent, plan_refund, save_refund
from workflows.hiring.use_cases.unit import Hiring
from workflows.payments.gateway import Refund, Refunds


async def give_back(hiring: Hiring, refunds: Refunds, draft: RefundDraft) -> Refund:
    """Refund a charge; the refund's row is its identity, so a repeat answers the first refund.

    One that was sent before is looked up before it is sent again: a key lives 24 hours.

    Raises Unknown and Rejected as the provider answers.
    """
    planned = await plan_refund(hiring, draft)
    refund = await refunds.find(planned.charge_id, planned.refund_id) if planned.sent_at else None
    if refund is None:
        await note_refund_sent(hiring, planned.refund_id, hiring.clock())
        key = f"refund:{planned.refund_id}"
        refund = await refunds.create(planned.charge_id, planned.refund_id, planned.amount, key)
    await save_refund(hiring, planned.refund_id, refund.provider_id)
    return refund
