"""Queries of own words."""

from __future__ import annotations

from sqlalchemy import Text, Uuid, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from regulars.domain.wording.models import OwnText

_TENANT = OwnText.tenant_id == bindparam("tenant", type_=Uuid)
_LANGUAGE = OwnText.locale == bindparam("of_locale", type_=Text)

OF_LANGUAGE = select(OwnText.context, OwnText.english, OwnText.forms).where(_TENANT, _LANGUAGE)
COUNTS = select(OwnText.locale, func.count().label("texts")).where(_TENANT).group_by(OwnText.locale)
_ADD = insert(OwnText)
SAVE = _ADD.on_conflict_do_update(
    index_elements=["tenant_id", "locale", "context", "english"],
    set_={"forms": _ADD.excluded.forms, "changed_at": func.core.now()},
)
RESET = delete(OwnText).where(
    _TENANT,
    _LANGUAGE,
    OwnText.context == bindparam("of_context", type_=Text),
    OwnText.english == bindparam("of_english", type_=Text),
)
RESET_LANGUAGE = delete(OwnText).where(_TENANT, _LANGUAGE)
