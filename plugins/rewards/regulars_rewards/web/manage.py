"""The merchant's pages: the catalogue, one reward, its codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, Field

from regulars.sdk import Conflict, InvalidInput, LimitReached, NotFound, PageContext, ProgramInfo
from regulars.sdk.i18n import _
from regulars.sdk.web import (
    Blueprint,
    Redirect,
    Result,
    SettingsForm,
    TryAgain,
    Work,
    describe_form,
    forgiving,
    keep_photo,
    page,
    parse_form,
    photo_url,
    save_rules,
    unit_amount,
)
from regulars_rewards import queries
from regulars_rewards.codes import read_codes
from regulars_rewards.queries import Figures
from regulars_rewards.settings import Reward, RewardSettings

PATH = "/manage/p/rewards/"
SHOWN = tuple(name for name in Reward.model_fields if name != "photo")
bp = Blueprint("rewards", __name__)


class Where(BaseModel):
    """Which program and which reward an address means; empty for the first program, and for a new reward."""

    program: str = Field(default="", max_length=40)
    key: str = Field(default="", max_length=40)

    @property
    def query(self) -> str:
        """The same as a query string."""
        return f"?program={self.program}&key={self.key}"


class CodesForm(Where):
    """A list of codes for a reward."""

    codes: str = Field(default="", max_length=2_000_000)


@dataclass(frozen=True, slots=True)
class RewardCard:
    """A reward in the catalogue.

    Attributes:
        url: of its form.
        cost: in words.
        photo: address, empty without one.
        left: how many there are still, `None` without a limit.
    """

    reward: Reward
    url: str
    cost: str
    photo: str
    figures: Figures
    left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CataloguePage(PageContext):
    """All rewards of a program.

    Attributes:
        cards: as customers see them, and those that cannot be had at the moment.
        programs: (address, name, whether it is shown), where there are several.
        new_url: form of a new reward, empty for readers who may not.
        most_rewards: how many there may be in all programs, `None` without a limit.
        has: how many there are in all programs.
        most: how often the most popular one was had, for the bars.
    """

    template: ClassVar[str] = "rewards/manage/catalogue.html"
    cards: Sequence[RewardCard]
    programs: Sequence[tuple[str, str, bool]]
    new_url: str
    most_rewards: int | None
    has: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardPage(PageContext):
    """One reward.

    Attributes:
        where: program and short name, empty for a new reward.
        title: of the reward, empty for a new one.
        form: its fields.
        photo: address of the present photo, empty without one.
        photo_error: what is wrong with a photo that was sent.
        error: what is wrong with the whole.
        currency: of amounts.
    """

    template: ClassVar[str] = "rewards/manage/reward.html"
    where: Where
    title: str
    form: SettingsForm
    photo: str
    photo_error: str
    error: str
    currency: str
    figures: Figures


@bp.get("/")
@page(audience="staff", permission="rewards.view")
async def catalogue(work: Work) -> Result:
    """The catalogue."""
    where = work.query(Where)
    program, settings = await _program(work, where)
    known = await queries.figures(work.session, program.id)
    rules = await work.rules("rewards")
    cards = [_card(work, program, reward, known.get(reward.key, Figures())) for reward in settings.rewards]
    return CataloguePage(
        cards=cards,
        programs=[
            (f"{PATH}?program={one.program.id.hex}", one.program.name, one.program.id == program.id)
            for one in rules
            if len(rules) > 1
        ],
        new_url=f"{PATH}reward?program={program.id.hex}" if work.principal.may("rewards.manage") else "",
        most_rewards=work.ctx.tenant.limit("rewards.items"),
        has=sum(len(one.settings.rewards) for one in rules if isinstance(one.settings, RewardSettings)),
        most=max((card.figures.taken for card in cards), default=0),
    )


@bp.get("/reward")
@page(audience="staff", permission="rewards.manage")
async def reward_form(work: Work) -> Result:
    """The form of a reward, or of a new one."""
    where = work.query(Where)
    program, settings = await _program(work, where)
    return await _page(work, program, where, _found(settings, where))


@bp.post("/reward")
@forgiving
@page(audience="staff", permission="rewards.manage")
async def save_reward(work: Work) -> Result:
    """Save a reward; what was typed is shown again when something is wrong."""
    where = work.query(Where)
    program, settings = await _program(work, where)
    present = _found(settings, where)
    sent = (await work.request.form).to_dict()
    parsed = parse_form(present, sent, only=SHOWN, currency=program.currency)
    try:
        photo = "" if sent.get("no_photo") else (await keep_photo(work, "photo_file") or present.photo)
    except InvalidInput as error:
        raise TryAgain(work, await _page(work, program, where, present, sent, photo_error=error.detail)) from error
    if parsed.settings is None:
        raise TryAgain(work, await _page(work, program, where, present, sent, parsed.errors))
    saved = parsed.settings.model_copy(update={"photo": photo})
    others = [reward for reward in settings.rewards if reward.key != (where.key or None)]
    if any(reward.key == saved.key for reward in others):
        errors = {"key": _("Another reward has this short name.")}
        raise TryAgain(work, await _page(work, program, where, present, sent, errors))
    if where.key and saved.key != where.key:
        errors = {"key": _("The short name stays: redemptions are counted by it.")}
        raise TryAgain(work, await _page(work, program, where, present, sent, errors))
    rewards = [saved if reward.key == saved.key else reward for reward in settings.rewards]
    try:
        await _save(work, program, rewards if where.key else [*rewards, saved])
    except LimitReached as error:
        raise TryAgain(work, await _page(work, program, where, present, sent, {"": error.detail})) from error
    work.flash(_("“%(reward)s” is saved. Your customers see it at once.", reward=saved.title))
    return Redirect(f"{PATH}?program={program.id.hex}")


@bp.post("/codes")
@page(audience="staff", permission="rewards.manage")
async def add_codes(work: Work) -> Result:
    """Add codes of the merchant's own; the same list can be sent again without harm."""
    form = (await work.form(CodesForm)).data or CodesForm()
    program, settings = await _program(work, form)
    reward = _found(settings, form)
    upload = (await work.request.files).get("file")
    text = form.codes
    if upload is not None and upload.filename:
        text = upload.read().decode("utf-8", "replace")
    codes, faults = read_codes(text)
    added = await queries.add_codes(work.session, program.id, reward.key, codes) if codes else 0
    work.flash(_("Codes added: %(added)s. Known already: %(known)s.", added=added, known=len(codes) - added))
    for line, sentence in faults[:5]:
        work.flash(_("Line %(line)s: %(sentence)s", line=line, sentence=sentence), "warning")
    return Redirect(f"{PATH}reward{Where(program=program.id.hex, key=reward.key).query}")


async def _program(work: Work, where: Where) -> tuple[ProgramInfo, RewardSettings]:
    """The program that an address means, with its catalogue.

    Raises:
        NotFound: the tenant has no such program, or none at all.
    """
    rules = await work.rules("rewards")
    found = next((one for one in rules if where.program in {"", one.program.id.hex}), None)
    if found is None:
        raise NotFound(_("We could not find this program."))
    assert isinstance(found.settings, RewardSettings)
    return found.program, found.settings


def _found(settings: RewardSettings, where: Where) -> Reward:
    """The reward that an address means; one with nothing in it for a new one.

    Raises:
        NotFound: there is no such reward.
    """
    if not where.key:
        return Reward(key="reward", title="Reward")
    reward = settings.find(where.key)
    if reward is None:
        raise NotFound(_("There is no such reward."))
    return reward


async def _save(work: Work, program: ProgramInfo, rewards: Sequence[Reward]) -> None:
    try:
        await save_rules(work, "rewards", program, {"rewards": [one.model_dump(mode="json") for one in rewards]})
    except InvalidInput as error:  # the form has been read already: only the number of rewards is left to be wrong
        raise Conflict(_("A catalogue has at most %(most)s rewards.", most=200)) from error


async def _page(
    work: Work,
    program: ProgramInfo,
    where: Where,
    reward: Reward,
    sent: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    photo_error: str = "",
) -> RewardPage:
    shown = sent if sent is not None or where.key else {**_texts(reward), "key": "", "title": ""}
    known = await queries.figures(work.session, program.id)
    return RewardPage(
        where=where.model_copy(update={"program": program.id.hex}),
        title=reward.title if where.key else "",
        form=describe_form(reward, only=SHOWN, sent=shown, errors=errors),
        photo=photo_url(work, reward.photo),
        photo_error=photo_error,
        error=(errors or {}).get("", ""),
        currency=program.currency,
        figures=known.get(reward.key, Figures()) if where.key else Figures(),
    )


def _texts(reward: Reward) -> dict[str, str]:
    """A reward as its form would send it."""
    values = reward.model_dump(mode="json", include=set(SHOWN), exclude_none=True)
    ticked = {name: "on" if value else "" for name, value in values.items() if isinstance(value, bool)}
    return {name: str(value) for name, value in values.items() if not isinstance(value, (bool, list))} | ticked


def _card(work: Work, program: ProgramInfo, reward: Reward, known: Figures) -> RewardCard:
    return RewardCard(
        reward=reward,
        url=f"{PATH}reward{Where(program=program.id.hex, key=reward.key).query}",
        cost=unit_amount(work, reward.unit, reward.cost),
        photo=photo_url(work, reward.photo),
        figures=known,
        left=None if reward.stock is None else max(0, reward.stock - known.taken),
    )
