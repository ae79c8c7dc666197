"""The merchant's page: a certificate is uploaded, refused with its reason, stored encrypted, replaced, removed."""

import json

from regulars.cli.dev_certs import make_authority

PATH = "/manage/p/apple_wallet/"
STORED = "SELECT tenant_id, values, secrets FROM core.plugin_settings WHERE plugin = 'apple_wallet'"
LINES = "SELECT details FROM core.audit_log WHERE action = 'settings.changed' ORDER BY created_at"


async def send(person, files, password="", path=PATH):
    parts = {name: (f"{name}.pem", content) for name, content in files.items()}
    options = {"data": {"password": password}, "files": parts, "headers": {"Sec-Fetch-Site": "same-origin"}}
    return await person.post(path, **options)


async def test_a_merchants_own_certificate_goes_before_the_platforms(visit, cafe, pizza, authority, sql):
    owner, neighbour = await visit(cafe, "owner"), await visit(pizza, "owner")
    shown = (await owner.get(PATH)).text
    assert "pass.example.regulars" in shown
    assert "Upload your own certificate" in shown
    own = authority.pass_certificate("pass.example.cafe")
    files = {"certificate": own.certificate_pem, "key": own.key_pem}
    refused = await send(owner, files)
    assert refused.status_code == 422
    assert "The intermediate certificate is missing." in refused.text
    assert await sql.fetch(STORED) == []
    files["intermediate"] = authority.intermediate.certificate_pem
    assert (await send(owner, files)).status_code == 303
    shown = (await owner.get(PATH)).text
    assert "pass.example.cafe" in shown
    assert "Your certificate" in shown
    assert "pass.example.cafe" not in (await neighbour.get(PATH)).text
    row = await sql.fetchrow(STORED)
    assert (row["tenant_id"], json.loads(row["values"])) == (cafe.tenant.id, {})
    assert own.key_pem.splitlines()[1] not in row["secrets"]
    assert own.key_pem.splitlines()[1].decode() not in shown
    assert (await owner.get(f"{PATH}remove")).status_code == 200
    assert (await owner.submit(f"{PATH}remove", {})).status_code == 303
    assert "pass.example.regulars" in (await owner.get(PATH)).text
    assert (await owner.get(f"{PATH}remove")).status_code == 303
    told = [json.loads(row["details"]) for row in await sql.fetch(LINES)]
    assert told == [{"plugin": "apple_wallet", "fields": ["certificate", "intermediate", "key"]}] * 2


async def test_what_is_no_certificate_is_refused_and_changes_nothing(visit, cafe, sql):
    owner, other = await visit(cafe, "owner"), make_authority()
    signer = other.pass_certificate()
    for files, said in (
        ({}, "The certificate is missing."),
        ({"certificate": b"\x00" * 200_000}, "This file is too large for a certificate."),
        ({"certificate": b"nonsense"}, "This file is no certificate."),
        ({"certificate": signer.certificate_pem, "key": other.root.key_pem}, "does not belong to this certificate."),
    ):
        answer = await send(owner, files)
        assert answer.status_code == 422
        assert said in answer.text
    assert await sql.fetch(STORED) == []


async def test_only_whoever_may_manage_it_sees_the_page(visit, cafe):
    assert (await (await visit(cafe, "manager")).get(PATH)).status_code == 403
    assert "apple_wallet" not in (await (await visit(cafe, "manager")).get("/manage/")).text
