"""A simple model of what HiringService ought to do."""

from dataclasses import replace

from tests.integration.hiring.calls import (
    BAD_AMOUNT,
    BAD_REASON,
    NOWHERE,
    PAYERS,
    PEOPLE,
    PROPOSALS,
    Call,
)
from tests.integration.hiring.model_hires import Hire, Started, Terms, total

EVENTS = {"HIRE_CANCELLED": "cancelled", "PAYMENT_EXPIRED": "expired", "NO_POSITION": "failed"}


class Model:
    """What the service ought to do, in memory."""

    def __init__(self) -> None:
        self.facts = ["plain"] * len(PROPOSALS)
        self.hires: list[Hire] = []
        self.starts: list[Started] = []
        self.customers: set[str] = set()
        self.methods: dict[str, list[bool]] = {"A": [], "B": []}  # whether each is still saved
        self.defaults: dict[str, int] = {}
        self.number = 0

    def newest(self, proposal: int) -> Hire | None:
        """The newest hire of a proposal."""
        return next((each for each in self.hires[::-1] if each.proposal == proposal), None)

    def earlier(self, call: Call) -> Started | None:
        """The start that comes again, if there was one."""
        return self.starts[-1 - call.earlier % len(self.starts)] if self.starts else None

    def apply(self, call: Call) -> object:
        """Carry the call out; give what it answers, or the reason why it is refused."""
        self.number += 1
        paying = call.what in {"start", "retry", "set_default", "remove"}
        if call.caller == "tom" or (paying and call.caller == "agent" and call.what != "start"):
            return "CALLER_NOT_ALLOWED"
        if paying and call.caller == "amy":
            return "PAYER_ROLE_MISSING"
        if (call.what == "start" and call.amount == BAD_AMOUNT) or (
            call.what == "cancel" and call.reason == BAD_REASON
        ):
            return "INVALID_FIELDS"
        return getattr(self, f"_{call.what}")(call)

    def _start(self, call: Call) -> object:
        known = len(self.methods[PEOPLE[call.caller]])
        # A method that there is not when it is named is none that is saved later.
        sent = call if call.method < known else replace(call, method=NOWHERE)
        self.starts.append(Started(sent, self.number))
        return self._started(self.starts[-1], fresh=True)

    def _repeat(self, call: Call) -> object:
        earlier = self.earlier(call)
        return earlier and self._started(earlier, fresh=False)

    def _started(self, started: Started, *, fresh: bool) -> object:
        call = started.call
        if started.hire is None and (refused := self._decide(started, fresh=fresh)):
            return refused
        hire = started.hire
        assert hire is not None
        mine = hire.terms[started.revision - 1]
        if mine.verdict == "OFFERED" and hire.state == "HIRED":
            mine.verdict = "PAYMENT_ALREADY_SUCCEEDED"
        if mine.verdict == "OFFERED" and hire.state == "UNDONE":
            mine.verdict = "HIRE_ENDING"
            for each in self.starts:  # they never reached the hire, so they may begin the next
                if (each.hire, each.revision) == (hire, started.revision):
                    each.hire = None
        if mine.verdict not in {"OFFERED", "ACCEPTED"}:
            return mine.verdict
        if hire.end_reason == "NO_POSITION":
            return "NO_POSITION"
        return hire.answer(payer=call.caller in PAYERS)

    def _decide(self, started: Started, *, fresh: bool) -> str | None:
        """Let the request name its hire, or tell why it cannot."""
        call = started.call
        if refused := self._not_found(call):
            return refused
        if call.caller == "agent":
            return "APPROVAL_UNAVAILABLE"
        organisation, wish = PEOPLE[call.caller], (call.amount, call.confirm_declined)
        newest = self.newest(call.proposal)
        live = None if newest is None or newest.state == "UNDONE" else newest
        unhireable = self._unhireable(call.proposal, confirmed=call.confirm_declined)
        unacceptable = "" if self._payable(call) else "PAYMENT_METHOD_MISSING"
        if not call.honest:
            unacceptable = "QUOTE_CHANGED"
        elif unhireable == "PROPOSAL_DECLINED":
            unacceptable = unhireable
        objection = unacceptable or unhireable
        if not objection:
            self.customers.add(organisation)
        if not fresh and newest and newest.began > started.number:
            same = live is not None and not live.ended and live.latest.wish == wish
            if not same:
                return "NEWER_HIRE"
        terms = Terms(wish, self._method(call))
        if live is None and not objection:
            terms.verdict = "ACCEPTED"
            started.hire, started.revision = Hire(call.proposal, self.number, [terms]), 1
            self.hires.append(started.hire)
            return None
        if live is None:
            return objection
        return self._join(started, live, terms, unacceptable)

    def _join(self, started: Started, live: Hire, terms: Terms, unacceptable: str) -> str | None:
        if live.state == "HIRED":
            return "ALREADY_HIRED"
        if live.stage == "UNDOING":
            return "HIRE_ENDING"
        if live.latest.wish == terms.wish:
            if not started.call.honest:
                return "QUOTE_CHANGED"
            started.hire, started.revision = live, live.terms.index(live.latest) + 1
            return None
        if live.paid or unacceptable:
            return "PAYMENT_ALREADY_SUCCEEDED" if live.paid else unacceptable
        live.terms.append(terms)
        started.hire, started.revision = live, len(live.terms)
        return None

    def _retry(self, call: Call) -> object:
        hire = self._own(call)
        if hire is None:
            return "NOT_FOUND"
        if not (hire.paid and hire.state != "UNDONE"):
            if hire.ended:
                return "PAYMENT_NOT_EXPECTED"
            if hire.stage == "UNDOING":
                return "HIRE_ENDING"
            if not self._payable(call):
                return "PAYMENT_METHOD_MISSING"
        return hire.answer(payer=True)

    def _cancel(self, call: Call) -> object:
        hire = self._own(call)
        if hire is None:
            return "NOT_FOUND"
        if hire.state == "HIRED":
            return "PAST_PIVOT"
        wrong = hire.ended and hire.end_reason != "HIRE_CANCELLED"
        return "WRONG_STATE" if wrong else hire.seen()

    def _quote(self, call: Call) -> object:
        if refused := self._not_found(call):
            return refused
        unmet = {self._unhireable(call.proposal, confirmed=False)}
        if PEOPLE[call.caller] not in self.defaults:
            unmet.add("PAYMENT_METHOD_MISSING")
        if call.amount == BAD_AMOUNT:
            return 0, (unmet | {"INVALID_FIELDS"}) - {""}
        return total(call.amount), unmet - {""}

    def _set_default(self, call: Call) -> object:
        organisation = PEOPLE[call.caller]
        if not self._is_saved(organisation, call.method):
            return "PAYMENT_METHOD_MISSING"
        self.defaults[organisation] = call.method
        return call.method

    def _remove(self, call: Call) -> object:
        organisation = PEOPLE[call.caller]
        for hire in self.hires:
            named = [each.method for each in hire.terms[hire.revision - 1 :] if _stands(each)]
            if not (hire.ended or hire.paid) and (organisation, call.method) in named:
                return "PAYMENT_METHOD_IN_USE"
        if not self._is_saved(organisation, call.method):
            return "PAYMENT_METHOD_MISSING"
        self.methods[organisation][call.method] = False
        if self.defaults.get(organisation) == call.method:
            del self.defaults[organisation]
        return None

    def _tell(self, call: Call) -> object:
        if call.proposal != NOWHERE:
            self.facts[call.proposal] = call.facts
        return None

    def _save(self, call: Call) -> object:
        organisation = "A" if call.who < 12 else "B"
        if organisation in self.customers:
            self.methods[organisation].append(True)
        return None

    def _step(self, call: Call) -> object:
        hire = self.newest(call.proposal)
        if hire is None or call.step == "late":
            return False
        unpaid = call.step == "hired" and not hire.paid
        if hire.ended or unpaid or (call.step == "undo" and hire.paid):
            return "WRONG_STATE"
        hire.step += 1
        hire.waiting = {"park": "CLIENT_CONFIRMATION", "blocked": "OPERATOR"}.get(
            call.step, "UNSPECIFIED"
        )
        hire.stage = "UNDOING" if call.step == "undoing" else "FUNDING"
        event = "blocked" if call.step == "blocked" else "stage_changed"
        offered = [each for each in hire.terms if each.verdict == "OFFERED"]
        revision = hire.offered
        if call.step == "pay":
            hire.paid = True
        if call.step == "refuse" and offered:
            offered[-1].verdict = "PAYMENT_ALREADY_SUCCEEDED"
        if call.step == "accept" and offered:
            for each in offered:
                each.verdict = "CONFLICT"
            offered[-1].verdict = "ACCEPTED"
            hire.revision = revision
            event = "superseded"
        if call.step in {"undo", "undo_refunded", "hired"}:
            hire.state, hire.stage = "UNDONE", "ENDED"
            hire.end_reason, event = call.end, EVENTS[call.end]
            if call.step == "hired":
                hire.state, hire.end_reason, event = "HIRED", "", "completed"
        hire.events.append(event)
        return True

    def _own(self, call: Call) -> Hire | None:
        hire = self.newest(call.proposal)
        mine = hire is not None and PROPOSALS[hire.proposal] == PEOPLE[call.caller]
        return hire if mine else None

    def _not_found(self, call: Call) -> str:
        known = call.proposal != NOWHERE and PROPOSALS[call.proposal] == PEOPLE[call.caller]
        return "" if known else "NOT_FOUND"

    def _unhireable(self, proposal: int, *, confirmed: bool) -> str:
        reasons = {
            "withdrawn": "PROPOSAL_WITHDRAWN",
            "declined": "" if confirmed else "PROPOSAL_DECLINED",
            "hired": "ALREADY_HIRED",
            "closed": "JOB_NOT_OPEN",
            "full": "NO_POSITION",
        }
        return reasons.get(self.facts[proposal], "")

    def _method(self, call: Call) -> tuple[str, int] | None:
        organisation = PEOPLE[call.caller]
        if call.pays_by == "client":
            return None
        default = self.defaults.get(organisation, NOWHERE)
        return organisation, call.method if call.pays_by == "method" else default

    def _payable(self, call: Call) -> bool:
        method = self._method(call)
        return method is None or self._is_saved(*method)

    def _is_saved(self, organisation: str, method: int) -> bool:
        saved = self.methods[organisation]
        return method < len(saved) and saved[method]


def _stands(terms: Terms) -> bool:
    return terms.verdict in {"OFFERED", "ACCEPTED"}
