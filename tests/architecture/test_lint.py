"""The house's own rules hold, and each rule finds what it is for."""

from pathlib import Path

import pytest

from tests.architecture import lint


def test_no_rule_is_broken() -> None:
    assert lint.findings() == []


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("async def f(session):\n    await session.commit()\n", "commit() outside kernel"),
        ("async def f(database):\n    async with database.platform():\n        pass\n", "needs a reason"),
        ("def f(pm):\n    pm.hook.earn()\n", "pm.hook outside"),
        ("Q = \"SELECT set_config('app.tenant_id', 'x', false)\"\n", "outlives the transaction"),
        ("Q = \"SET app.tenant_id = 'x'\"\n", "outlives the transaction"),
        ("from sqlalchemy import select\nQ = select(1)\n", "SQL belongs into repository.py"),
        ("import redis\n", "only through kernel.redis"),
        ("HALF = 1 / 2\n", "integers only"),
        ("HALF = 0.5\n", "integers only"),
        ("HALF = float('0.5')\n", "integers only"),
    ],
)
def test_each_rule_finds_its_fault(code: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint, "ROOT", tmp_path)
    path = tmp_path / "domain" / "sales" / "service.py"
    path.parent.mkdir(parents=True)
    path.write_text(code)
    assert [sentence in found for found in lint.check(path)] == [True]
