"""The audit logs for people: what each action is called, and its details as pairs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from regulars.contracts.i18n import N_
from regulars.kernel.i18n import gettext as _

TITLES: Mapping[str, str] = {
    "sale.record": N_("Recorded a sale"),
    "sale.undo": N_("Took back a sale"),
    "sale.refund": N_("Refunded a sale"),
    "sale.exported": N_("Exported sales"),
    "sale.refunds_exported": N_("Exported refunds"),
    "points.transfer": N_("Moved units to another card"),
    "points.adjust": N_("Corrected a balance"),
    "points.adjust_asked": N_("Asked for a correction"),
    "points.adjust_refused": N_("Refused a correction"),
    "points.corrections_exported": N_("Exported corrections"),
    "program.adjust_limit_set": N_("Set the limit of corrections"),
    "units.released": N_("Released what had waited"),
    "units.expired": N_("Units expired"),
    "reward.redeem": N_("Handed out a reward"),
    "redemption.undo": N_("Took back a reward"),
    "redemption.exported": N_("Exported redemptions"),
    "redemption.capture": N_("Handed out a reward that was put aside"),
    "redemption.release": N_("Gave back a reward that was put aside"),
    "redemption.expire": N_("A reward was not used in time"),
    "redemption.ship": N_("Sent a reward"),
    "redemption.deliver": N_("Marked a reward as delivered"),
    "redemption.cancel": N_("Cancelled a reward"),
    "member.enrol": N_("Enrolled a customer"),
    "member.changed": N_("Changed a member"),
    "member.merge": N_("Merged two members"),
    "member.unmerge": N_("Undid a merge of members"),
    "member.exported": N_("Exported members"),
    "member.link_sent": N_("Sent a link to a card"),
    "household.invited": N_("Made an invitation into a household"),
    "household.invitation_withdrawn": N_("Took an invitation back"),
    "household.joined": N_("Joined a household"),
    "household.left": N_("Left a household"),
    "household.spend": N_("A household spent together"),
    "household.exported": N_("Exported households"),
    "program.households_set": N_("Set how many may share"),
    "receipt.kept": N_("Kept a receipt"),
    "receipt.claim": N_("Claimed a receipt"),
    "receipt.exported": N_("Exported receipts"),
    "program.receipts_set": N_("Set for how many days receipts count"),
    "award.referral": N_("Rewarded a referral"),
    "award.birthday": N_("Gave a birthday present"),
    "award.custom": N_("Rewarded something"),
    "award.take_back": N_("Took back a present"),
    "member.tier_given": N_("Gave a member a tier"),
    "card.blocked": N_("Blocked a card"),
    "card.unblocked": N_("Unblocked a card"),
    "wallet.pass_made": N_("Put a card into a wallet"),
    "wallet.sent_again": N_("Sent all passes again"),
    "wallet.exported": N_("Exported the passes"),
    "staff.log_in": N_("Signed in"),
    "staff.added": N_("Added a person"),
    "staff.changed": N_("Changed a person"),
    "staff.dismissed": N_("Took a person off the staff"),
    "staff.pin_set": N_("Set a PIN"),
    "staff.pin_unlocked": N_("Unlocked a PIN"),
    "staff.password_set": N_("Set a password"),
    "staff.link_made": N_("Made a link to get in"),
    "staff.link_sent": N_("Sent a link to a new password"),
    "session.closed": N_("Signed out"),
    "session.shop_chosen": N_("Chose a shop"),
    "shop.added": N_("Added a shop"),
    "shop.changed": N_("Renamed a shop"),
    "shop.opened": N_("Opened a shop again"),
    "shop.closed": N_("Closed a shop"),
    "program.created": N_("Created a program"),
    "program.changed": N_("Changed a program"),
    "program.status_changed": N_("Opened or closed a program"),
    "program.paused": N_("Paused a program"),
    "program.resumed": N_("Let a program go on"),
    "program.change_planned": N_("Planned a change of the rules"),
    "program.change_withdrawn": N_("Took a planned change back"),
    "program.change_failed": N_("A planned change did not fit any more"),
    "settings.changed": N_("Changed settings"),
    "rules.back_tested": N_("Tried rules on past sales"),
    "rules.back_test_cancelled": N_("Cancelled a test of rules"),
    "apikey.created": N_("Created an API key"),
    "apikey.revoked": N_("Revoked an API key"),
    "domain.added": N_("Added a domain"),
    "domain.removed": N_("Removed a domain"),
    "domain.preferred": N_("Chose the main address"),
    "domain.moves_set": N_("Changed how visitors are sent on"),
    "domain.verified": N_("A domain was proven"),
    "domain.live": N_("A domain is live"),
    "domain.failing": N_("A domain's records are missed"),
    "domain.recovered": N_("A domain's records are back"),
    "domain.lost": N_("A domain was taken out"),
    "plugin.switched": N_("Switched an extension"),
    "plugin.failed": N_("An extension failed"),
    "plugin.killed": N_("Stopped an extension"),
    "plugin.purged": N_("Deleted the data of an extension"),
    "plugin.revived": N_("Let an extension work again"),
    "platform.added": N_("Added the platform"),
    "tenant.created": N_("Created a merchant"),
    "tenant.verified": N_("Proved an owner's address"),
    "tenant.first_steps": N_("Ticked off first steps"),
    "tenant.profile_changed": N_("Changed name or looks"),
    "tenant.look_changed": N_("Changed the look"),
    "tenant.offering_changed": N_("Changed the offering"),
    "tenant.suspended": N_("Suspended a merchant"),
    "tenant.reactivated": N_("Reactivated a merchant"),
    "tenant.host_added": N_("Added a host name"),
    "tenant.override_grant": N_("Granted a feature"),
    "tenant.override_deny": N_("Denied a feature"),
    "tenant.override_limit": N_("Set a limit"),
    "tenant.override_removed": N_("Removed an exception"),
    "offering.added": N_("Added an offering"),
    "offering.changed": N_("Changed an offering"),
    "offering.copied": N_("Copied an offering"),
    "offering.features_changed": N_("Changed an offering's features"),
    "offering.limit_changed": N_("Changed an offering's limit"),
    "wording.changed": N_("Changed a text"),
    "wording.reset": N_("Went back to the standard texts"),
    "operator.added": N_("Added an operator"),
    "operator.changed": N_("Changed an operator"),
    "operator.logged_in": N_("Signed in"),
    "operator.log_in_refused": N_("Was refused at the log-in"),
    "operator.password_set": N_("Set a password"),
    "operator.key_created": N_("Created a key"),
    "operator.key_revoked": N_("Revoked a key"),
    "job.retried": N_("Tried a job again"),
}


DETAILS = {
    "added": N_("Added"),
    "after": N_("After"),
    "before": N_("Before"),
    "by": N_("By"),
    "changed": N_("Changed"),
    "email_changed": N_("E-mail changed"),
    "expires_at": N_("Ends"),
    "failures": N_("Wrong tries"),
    "fields": N_("Fields"),
    "from": N_("Copied from"),
    "host": N_("Host name"),
    "job": N_("Job"),
    "key": N_("Key"),
    "kind": N_("Kind"),
    "language": N_("Language"),
    "limit": N_("Limit"),
    "link": N_("Link"),
    "locked": N_("Locked"),
    "locked_until": N_("Locked until"),
    "name": N_("Name"),
    "names": N_("Names"),
    "on": N_("On"),
    "only": N_("Filter"),
    "operator": N_("Operator"),
    "permissions": N_("Permissions"),
    "plugin": N_("Extension"),
    "primary": N_("Main address"),
    "problem": N_("Problem"),
    "purpose": N_("Purpose"),
    "reason": N_("Reason"),
    "removed": N_("Removed"),
    "retry_at": N_("Possible again"),
    "role": N_("Role"),
    "role_before": N_("Role before"),
    "shop": N_("Shop"),
    "sought": N_("Searched"),
    "text": N_("Text"),
    "texts": N_("Texts"),
    "theme": N_("Theme"),
    "title": N_("Title"),
    "value": N_("Value"),
    "values": N_("Values"),
    "words": N_("Your words"),
}
"""Name of a detail → what people call it; the others are shown as they are."""
ACTORS = {
    "api_key": N_("API key"),
    "member": N_("Customer"),
    "operator": N_("Operator"),
    "staff": N_("Staff"),
    "system": N_("Automatic"),
}


def actor_title(kind: str) -> str:
    """A kind of actor for people, its own name where it has no other."""
    return _(ACTORS[kind]) if kind in ACTORS else kind


def action_title(action: str) -> str:
    """An action for people, its own name where it has no other."""
    return _(TITLES[action]) if action in TITLES else action


def detail_pairs(details: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """Details of a line as (name, value), nested ones as JSON."""
    return [
        (_(DETAILS[name]) if name in DETAILS else name.replace("_", " "), _text(value))
        for name, value in details.items()
    ]


def _text(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
