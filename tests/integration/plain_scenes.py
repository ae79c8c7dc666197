"""What the plain shop says to each thing that somebody does, merged cards and pauses included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plain_rules import STAMPS, Told
from plain_shop import PlainMember, transfer
from shop_machine import Op, Shop, basket, correction, counted, part_of

MOVES: dict[str, Any] = {"capture": "capture", "release": "release", "lapse": "expire"}
WHO = (0, 0, 0, 0, 0, 1, 2, 3)
KINDS = (
    "sale",
    "mug",
    "refund",
    "sale",
    "ticket",
    "merge",
    "refund",
    "release",
    "wait",
    "undo",
    "adjust",
    "capture",
    "bill",
    "coffee",
    "lunch",
    "transfer",
    "rules",
    "refund",
    "tier",
    "pause",
    "lapse",
)
NEEDS_SOMETHING = frozenset({"refund", "capture", "release", "lapse"})
PAUSED = (409, "program.paused")
ONE = dict.fromkeys(STAMPS, 1)


@dataclass
class Scene:
    """Who is there.

    Attributes:
        owner: whose card is named.
        member: whose card it stands for since a merge, mostly the same.
        other: the other one of the shop.
        leading: those whose cards lead to `member`.
        is_one: both of the shop are one person.
    """

    shop: Shop
    owner: PlainMember
    member: PlainMember
    other: PlainMember
    leading: list[PlainMember]
    is_one: bool
    now: datetime


def _sale(scene: Scene, op: Op) -> Told:
    if scene.shop.pause is not None:
        return PAUSED
    amount, quantity = basket(op.size)
    counts = counted(op.size) or dict.fromkeys(STAMPS, quantity)
    return scene.member.sell(scene.shop.rules, scene.now, op.name, amount, counts)


def _bill(scene: Scene, op: Op) -> Told:
    """Two halves, the first one a cent more where they do not come out even."""
    amount, _quantity = basket(op.size)
    if amount == 1 or scene.is_one:
        return 422, "shares"
    if scene.shop.pause is not None:
        return PAUSED
    first = scene.member.sell(scene.shop.rules, scene.now, op.name, (amount + 1) // 2, ONE)
    second = scene.other.sell(scene.shop.rules, scene.now, f"{op.name} other", amount // 2, ONE)
    return 200, *first[1:], *second[1:]


def _refund(scene: Scene, op: Op) -> Told:
    part = part_of(op.size, scene.owner.sales[op.about].amount)
    return scene.member.refund(scene.shop.rules, op.about, part, scene.owner)


def _undo(scene: Scene, op: Op) -> Told:
    return scene.member.undo(scene.now)


def _redeem(scene: Scene, op: Op) -> Told:
    return scene.member.redeem(scene.now, op.name, op.kind, scene.leading)


def _adjust(scene: Scene, op: Op) -> Told:
    return scene.member.adjust(scene.shop.rules, scene.now, correction(op.size))


def _transfer(scene: Scene, op: Op) -> Told:
    units = 1 + op.size % 30
    if scene.is_one:
        return 422, "to"
    if scene.shop.pause is not None and scene.member.points.balance >= units:
        return PAUSED
    return transfer(scene.member, scene.other, units)


def _move(scene: Scene, op: Op) -> Told:
    pause = scene.shop.pause
    return scene.member.move(scene.now, scene.owner.redemptions[op.about], MOVES[op.kind], pause and pause[1])


EXPECT: dict[str, Callable[[Scene, Op], Told]] = {
    "sale": _sale,
    "bill": _bill,
    "refund": _refund,
    "undo": _undo,
    "adjust": _adjust,
    "transfer": _transfer,
    **dict.fromkeys(("mug", "ticket", "coffee", "lunch"), _redeem),
    **dict.fromkeys(MOVES, _move),
}
