"""What contracts are told by the environment beside the settings of every process."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.contracts.domain import Fees


class FeeSettings(BaseSettings):
    """The fees of today; each is the variable `HIREFLOW_<NAME>`.

    Contracts keep the fees that they were quoted, so a change concerns new quotes alone.

    Attributes:
        marketplace_fee_bps: the share of each milestone, in basis points: 1000 is 10 %.
        contract_fee_minor: the fee once per contract, in minor units: 995 is $9.95.

    """

    model_config = SettingsConfigDict(env_prefix="HIREFLOW_", frozen=True, extra="ignore")

    marketplace_fee_bps: int = Field(default=1000, ge=0, le=10_000)
    contract_fee_minor: int = Field(default=995, ge=0, le=1_000_000)

    @property
    def fees(self) -> Fees:
        """The fees as the domain computes with them."""
        return Fees(self.marketplace_fee_bps, self.contract_fee_minor)
