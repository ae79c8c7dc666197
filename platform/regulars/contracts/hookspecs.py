"""Every hook there is. Each says when it runs, its gate, order and what an error does.

Ledger hooks are plain functions without I/O (see `regulars.contracts.ledger`); presentation hooks are `async def`.
The host calls them through its own dispatcher, never through pluggy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import pluggy

from regulars.contracts.ledger import (
    CardMerge,
    EntryDraft,
    LedgerContext,
    Occasion,
    Outcome,
    PostedEntry,
    Proposal,
    RewardOffer,
    Verdict,
)
from regulars.contracts.reversals import Reversal
from regulars.contracts.wallets import WalletPart

PROJECT = "regulars"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

LEDGER_HOOKS = frozenset(
    {
        "check_earn",
        "earn",
        "adjust_earn",
        "cap_earn",
        "sale_posted",
        "check_redemption",
        "redemption_posted",
        "reversal_posted",
        "member_merged",
        "wallet_fields",
    }
)


class HookSpecs:
    """The hooks; a plugin implements any of them in its `Hooks` class with `@hookimpl`."""

    @hookspec
    def check_earn(self, ctx: LedgerContext, occasion: Occasion, facts: Mapping[str, Any]) -> Verdict:
        """May this be recorded?

        When: under the card's lock, after card, program and PIN were found good; also in a dry run for the terminal.
        Gate: the plugin is enabled. Order: topological; the first `Refusal` wins. Errors: roll the sale back.

        Args:
            ctx: tenant, program, card, accounts, the plugin's settings, database time.
            occasion: what happened.
            facts: the plugin's own facts by name.

        Returns:
            A `Refusal`, a `Clearance` with the time of the next possible one, or `None` for no opinion.
        """

    @hookspec
    def earn(self, ctx: LedgerContext, occasion: Occasion, facts: Mapping[str, Any]) -> Sequence[EntryDraft]:  # type: ignore[empty-body]
        """What does this occasion give?

        When: after every `check_earn` agreed. Gate: enabled. Order: topological, drafts are collected.
        Errors: roll the sale back.

        Args:
            ctx: as for `check_earn`.
            occasion: what happened.
            facts: the plugin's own facts by name.

        Returns:
            Drafts in units that this plugin provides; empty when it gives nothing.
        """

    @hookspec
    def adjust_earn(  # type: ignore[empty-body]
        self, ctx: LedgerContext, occasion: Occasion, proposals: Sequence[Proposal], facts: Mapping[str, Any]
    ) -> Sequence[Proposal]:
        """What becomes of the drafts: multipliers and bonuses; for limits see `cap_earn`.

        When: after all drafts are collected. Gate: enabled. Order: topological; each gets what the one before it
        returned. Errors: roll the sale back.

        Args:
            ctx: as for `check_earn`.
            occasion: what happened.
            proposals: drafts of all plugins.
            facts: the plugin's own facts by name.

        Returns:
            The proposals, changed with `Proposal.changed`, dropped (amount 0), or with own ones added: a plugin may
            add units of another enabled plugin here.
        """

    @hookspec
    def cap_earn(  # type: ignore[empty-body]
        self, ctx: LedgerContext, occasion: Occasion, proposals: Sequence[Proposal], facts: Mapping[str, Any]
    ) -> Sequence[Proposal]:
        """What may be kept at most, whoever gave it?

        When: after every `adjust_earn`, so that a limit holds for multipliers and bonuses too. Gate: enabled.
        Order: topological; each gets what the one before it returned. Errors: roll the sale back.

        Args:
            ctx: as for `check_earn`.
            occasion: what happened.
            proposals: what all plugins want to give.
            facts: the plugin's own facts by name.

        Returns:
            The same proposals in the same order, lowered with `Proposal.changed` where needed (0 drops one).
        """

    @hookspec
    def sale_posted(
        self,
        ctx: LedgerContext,
        occasion: Occasion,
        entries: Sequence[PostedEntry],
        facts: Mapping[str, Any],
        proposals: Sequence[Proposal],
    ) -> Outcome | None:
        """What does the plugin write with the sale?

        When: entries have their ids and balances, nothing is written yet; also after an enrolment. Gate: enabled.
        Order: topological. Errors: roll the sale back.

        Args:
            ctx: as for `check_earn`; accounts are those *before* the sale.
            occasion: what happened.
            entries: all entries of the sale; what is pending is not among them yet.
            facts: the plugin's own facts by name.
            proposals: what was decided, pending or not.

        Returns:
            Own writes and events, what the till takes off or hands over, or `None`.
        """

    @hookspec
    def check_redemption(self, ctx: LedgerContext, offer: RewardOffer, facts: Mapping[str, Any]) -> Verdict:
        """May this reward be had?

        When: under the card's lock, after card, program, PIN and balance were found good; also for each reward of a
        card that is looked at: those that are refused are shown locked, with the sentence of the refusal.
        Gate: enabled. Order: topological; the first `Refusal` wins. Errors: roll the redemption back.

        Args:
            ctx: as for `check_earn`.
            offer: what is wanted.
            facts: the plugin's own facts by name.

        Returns:
            A `Refusal`, a `Clearance`, or `None` for no opinion.
        """

    @hookspec
    def redemption_posted(
        self, ctx: LedgerContext, offer: RewardOffer, redemption_id: UUID, facts: Mapping[str, Any]
    ) -> Outcome | None:
        """What does the plugin write with a redemption?

        When: the entry has its id and balance, nothing is written yet. Gate: enabled. Order: topological.
        Errors: roll the redemption back.

        Args:
            ctx: as for `check_earn`; accounts are those *before* the redemption.
            offer: what was redeemed.
            redemption_id: of the host's row, which is written with it.
            facts: the plugin's own facts by name.

        Returns:
            Own writes and events, or `None`.
        """

    @hookspec
    def reversal_posted(
        self,
        ctx: LedgerContext,
        entries: Sequence[PostedEntry],
        reversed_entries: Sequence[PostedEntry],
        redemption_id: UUID | None,
        reversal: Reversal | None,
        facts: Mapping[str, Any],
    ) -> Outcome | None:
        """What does the plugin write when something is taken back?

        When: on undo and refund, also of a sale that gave no units; when a redemption is given back, each by itself;
        when an award is taken back; before the write. Gate: enabled. Order: topological. Errors: roll the whole back.

        Args:
            ctx: as for `check_earn`.
            entries: the new `reverse` entries; after a refund they may take back a part only.
            reversed_entries: what they reverse, in the same order.
            redemption_id: the redemption that is given back, `None` for a sale or an award.
            reversal: what is left of the sale, `None` where none is taken back.
            facts: the plugin's own facts by name.

        Returns:
            Own writes and events, or `None`.
        """

    @hookspec
    def member_merged(self, ctx: LedgerContext, merge: CardMerge, facts: Mapping[str, Any]) -> Outcome | None:
        """What does the plugin write when two members turn out to be one person, or turn out not to be?

        Balances, lots and what was ever earned are moved by the host, and facts that ask the host's sales, entries,
        redemptions and pending earnings by `card_id` are asked of both cards from then on. Left for the plugin are its
        own tables: what they keep of the other card is to count for this one too, once.

        When: both cards are locked, before the write; for each pair of cards. Gate: enabled. Order: topological.
        Errors: roll the whole back.

        Args:
            ctx: of the card that stays; as for `check_earn`.
            merge: the other card, and whether the merge is taken back.
            facts: the plugin's own facts of the card that stays, as they were before.

        Returns:
            Own writes for the card that stays and events, or `None`.
        """

    @hookspec
    def wallet_fields(  # type: ignore[empty-body]
        self, ctx: LedgerContext, offers: Sequence[RewardOffer], facts: Mapping[str, Any]
    ) -> Sequence[WalletPart]:
        """What does the plugin show on the card's pass in the phone?

        When: whenever a pass is made or looked at, once for each language of the tenant; texts are in the current
        locale. Pure, like a ledger hook. Gate: enabled. Order: topological; within a place by `order`.
        Errors: the plugin's lines are left out, counted and logged; the pass is made without them.

        Args:
            ctx: as for `check_earn`; accounts are what can be spent with the card, its household's included.
            offers: the card's rewards, reachable or not, as its page shows them.
            facts: the plugin's own facts by name.

        Returns:
            Lines, and at most one row of stamps and one tier; the first of all plugins' counts.
        """
