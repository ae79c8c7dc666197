"""Write statements built from a table."""

import pytest
from sqlalchemy import BigInteger, Column, DateTime, MetaData, Table, Text, Uuid

from regulars.kernel.db.prepared import prepare
from regulars.kernel.db.rows import delete_rows, insert_rows, update_rows

TABLE = Table(
    "visit",
    MetaData(),
    Column("tenant_id", Uuid, primary_key=True),
    Column("card_id", Uuid, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("note", Text),
    Column("at", DateTime(timezone=True)),
    schema="plg_visits",
)


def text(statement):
    return " ".join(prepare(statement).sql.split())


def test_insert_types_its_rows_from_the_table():
    statement = insert_rows(TABLE, "number", "at", bind="visits_new")
    assert text(statement) == (
        "INSERT INTO plg_visits.visit (tenant_id, card_id, number, at)"
        " SELECT given.tenant_id, given.card_id, given.number, given.at FROM jsonb_to_recordset($1::JSONB)"
        " AS given(tenant_id UUID, card_id UUID, number BIGINT, at TIMESTAMP WITH TIME ZONE)"
    )
    assert prepare(statement).names == ("visits_new",)
    assert prepare(statement).json_names == {"visits_new"}


def test_update_matches_tenant_card_and_key():
    statement = update_rows(TABLE, "note", match=("number",), bind="visits_note", where=TABLE.c.at.is_not(None))
    assert text(statement) == (
        "UPDATE plg_visits.visit SET note=given.note FROM jsonb_to_recordset($1::JSONB)"
        " AS given(tenant_id UUID, card_id UUID, number BIGINT, note TEXT)"
        " WHERE plg_visits.visit.tenant_id = given.tenant_id AND plg_visits.visit.card_id = given.card_id"
        " AND plg_visits.visit.number = given.number AND plg_visits.visit.at IS NOT NULL"
    )


def test_delete_matches_tenant_card_and_key():
    assert text(delete_rows(TABLE, match=("number",), bind="visits_gone")) == (
        "DELETE FROM plg_visits.visit USING jsonb_to_recordset($1::JSONB)"
        " AS given(tenant_id UUID, card_id UUID, number BIGINT)"
        " WHERE plg_visits.visit.tenant_id = given.tenant_id AND plg_visits.visit.card_id = given.card_id"
        " AND plg_visits.visit.number = given.number"
    )


def test_an_unknown_column_is_named():
    with pytest.raises(KeyError, match="colour"):
        insert_rows(TABLE, "colour", bind="visits_new")
