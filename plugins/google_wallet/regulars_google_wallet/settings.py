"""Settings of the plugin: the merchant's own issuer, and what stands in for it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from regulars.sdk import N_
from regulars_google_wallet.account import LARGEST, read_account


class GoogleWalletSettings(BaseModel):
    """As whom passes are made for Google Wallet."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"groups": {"own": N_("Google Wallet")}})

    issuer_id: str = Field(
        default="",
        pattern=r"^([0-9]{6,25})?$",
        title=N_("Issuer ID"),
        description=N_("The long number in the Google Pay & Wallet Console, below “Google Wallet API”."),
        json_schema_extra={"group": "own"},
    )
    service_account: SecretStr = Field(
        default=SecretStr(""),
        max_length=LARGEST,
        title=N_("Key of the service account"),
        description=N_("The .json file that Google gives you when you make a key."),
        json_schema_extra={"group": "own"},
    )
    platform_issuer_id: str = Field(
        default="",
        pattern=r"^([0-9]{6,25})?$",
        title=N_("Issuer ID of the platform"),
        description=N_("For merchants without an own one."),
        json_schema_extra={"operator": True, "env": ["REGULARS_GOOGLE_ISSUER_ID", "LOYALTY_GOOGLE_ISSUER_ID"]},
    )
    platform_account_path: SecretStr = Field(
        default=SecretStr(""),
        title=N_("Service account of the platform"),
        description=N_("Path of the .json file with its key."),
        json_schema_extra={
            "operator": True,
            "env": ["REGULARS_GOOGLE_SERVICE_ACCOUNT_JSON", "LOYALTY_GOOGLE_SERVICE_ACCOUNT_JSON"],
        },
    )
    endpoint: str = Field(
        default="",
        pattern=r"^(https?://[^/?#\s]+)?$",
        title=N_("Stand-in for Google"),
        description=N_("Address of a stand-in for Google's services, for demonstrations and tests."),
        json_schema_extra={"operator": True, "env": ["REGULARS_GOOGLE_WALLET_ENDPOINT"]},
    )

    @field_validator("service_account")
    @classmethod
    def _check_account(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            read_account(value.get_secret_value())
        return value
