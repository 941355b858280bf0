"""How workflow code is run: isolated, but with one copy of the values it shares with the worker.

A value class that the sandbox imported a second time would not be the class that the data
converter made, so the pure value modules pass through; the story and the funding flow do not.
"""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

WORKFLOW_RUNNER = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules(
        "workflows.hire.contract", "workflows.hire.steps"
    )
)
