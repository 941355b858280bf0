"""A changed story, as a later build might bring it: the thread is opened before the activation."""

from temporalio import workflow

from workflows.hire.contract import HireInput, HireResult
from workflows.hire.steps import PaymentOutcome
from workflows.hire.workflow import HireWorkflow


@workflow.defn(name="HireWorkflow")
class ChangedHireWorkflow(HireWorkflow):
    """The hire with two of its stages in the other order."""

    @workflow.init
    def __init__(self, hire: HireInput) -> None:
        super().__init__(hire)

    @workflow.run
    async def run(self, hire: HireInput) -> HireResult:
        return await super().run(hire)

    async def _activate_contract(self, payment: PaymentOutcome) -> None:
        await super()._open_thread()
        await super()._activate_contract(payment)

    async def _open_thread(self) -> str:
        """Done already."""
        return self._thread_id
