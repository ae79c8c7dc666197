"""Settings of the plugin: the merchant's own certificate, and what the platform has for merchants without one."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from regulars.sdk import N_


class AppleWalletSettings(BaseModel):
    """The certificates are stored as PEM, the key without its password, all encrypted.

    What begins with `platform` comes from the environment alone: no merchant names a file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    certificate: SecretStr | None = Field(default=None, title=N_("Certificate"))
    key: SecretStr | None = Field(default=None, title=N_("Private key"))
    intermediate: SecretStr | None = Field(default=None, title=N_("Intermediate certificate"))
    platform_pass_type_id: str = Field(
        default="",
        title=N_("Pass type identifier of the platform"),
        json_schema_extra={"env": ["REGULARS_APPLE_PASS_TYPE_ID", "LOYALTY_APPLE_PASS_TYPE_ID"], "operator": True},
    )
    platform_team_id: str = Field(
        default="",
        title=N_("Team identifier of the platform"),
        json_schema_extra={"env": ["REGULARS_APPLE_TEAM_ID", "LOYALTY_APPLE_TEAM_ID"], "operator": True},
    )
    platform_certificate_path: str = Field(
        default="",
        title=N_("File with the platform's certificate"),
        json_schema_extra={"env": ["REGULARS_APPLE_CERT_PATH", "LOYALTY_APPLE_CERT_PATH"], "operator": True},
    )
    platform_key_path: str = Field(
        default="",
        title=N_("File with the platform's private key"),
        json_schema_extra={"env": ["REGULARS_APPLE_KEY_PATH", "LOYALTY_APPLE_KEY_PATH"], "operator": True},
    )
    platform_key_password: SecretStr | None = Field(
        default=None,
        title=N_("Password of the platform's private key"),
        json_schema_extra={"env": ["REGULARS_APPLE_KEY_PASSWORD", "LOYALTY_APPLE_KEY_PASSWORD"], "operator": True},
    )
    platform_intermediate_path: str = Field(
        default="",
        title=N_("File with Apple's intermediate certificate"),
        json_schema_extra={"env": ["REGULARS_APPLE_WWDR_PATH", "LOYALTY_APPLE_WWDR_PATH"], "operator": True},
    )
    push_server: str = Field(
        default="https://api.push.apple.com",
        title=N_("Address of the push service"),
        json_schema_extra={"env": ["REGULARS_APPLE_PUSH_SERVER"], "operator": True},
    )
    push_authority_path: str = Field(
        default="",
        title=N_("File with the authority of the push service, when it is not Apple's"),
        json_schema_extra={"env": ["REGULARS_APPLE_PUSH_AUTHORITY_PATH"], "operator": True},
    )

    @property
    def is_own(self) -> bool:
        """Whether the merchant has uploaded something."""
        return self.certificate is not None
