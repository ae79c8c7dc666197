"""An operation in each API."""

from __future__ import annotations

from pydantic import BaseModel

from regulars.sdk.api import ApiWork, Operation, api
from regulars.sdk.web import Blueprint
from regulars_fixture import queries

store = Blueprint("sampler_store", __name__)
storefront = Blueprint("sampler_storefront", __name__)


class Count(BaseModel):
    """How many samples there are."""

    samples: int


@store.get("/count")
@api(Operation(door="store", permission="programs.view", answers={200: Count}, tag="Sampler"))
async def count(work: ApiWork) -> Count:
    """How many samples there are."""
    return Count(samples=await queries.count(work.session))


@storefront.get("/count")
@api(Operation(door="storefront", answers={200: Count}, tag="Sampler"))
async def count_for_all(work: ApiWork) -> Count:
    """How many samples there are."""
    return Count(samples=await queries.count(work.session))
