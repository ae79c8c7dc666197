"""Everybody has a language of their own, or none yet; whoever enters a tenant brings it along."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ENTER_TENANT = """
CREATE FUNCTION core.enter_tenant(p_tenant uuid, p_session_hash bytea, p_key_hash bytea)
RETURNS TABLE (kind text, id uuid, name text, role text, session_id uuid, shop_id uuid, permissions jsonb, locale text)
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
  IF current_setting('app.tenant_id', true) <> '' THEN
    RAISE EXCEPTION 'a tenant was set before the transaction entered one' USING ERRCODE = 'RG001';
  END IF;
  PERFORM set_config('app.tenant_id', p_tenant::text, true);
  IF p_session_hash IS NOT NULL THEN
    RETURN QUERY
      SELECT CASE WHEN s.staff_id IS NOT NULL THEN 'staff' ELSE 'member' END, coalesce(s.staff_id, s.member_id),
             coalesce(st.name, m.name), coalesce(st.role, 'member'), s.id, s.shop_id, NULL::jsonb,
             coalesce(st.locale, m.locale)
      FROM core.session s
      LEFT JOIN core.staff st ON st.tenant_id = s.tenant_id AND st.id = s.staff_id AND st.status = 'active'
      LEFT JOIN core.member m ON m.tenant_id = s.tenant_id AND m.id = s.member_id AND m.status = 'active'
      WHERE s.tenant_id = p_tenant AND s.token_hash = p_session_hash AND s.expires_at > now()
        AND num_nonnulls(st.id, m.id) = 1;
    IF FOUND THEN RETURN; END IF;
  END IF;
  IF p_key_hash IS NOT NULL THEN
    RETURN QUERY
      SELECT 'api_key'::text, k.id, k.name, 'key'::text, NULL::uuid, k.shop_id, k.permissions, NULL::text
      FROM core.api_key k
      WHERE k.tenant_id = p_tenant AND k.key_hash = p_key_hash AND k.revoked_at IS NULL;
    IF FOUND THEN RETURN; END IF;
  END IF;
  RETURN QUERY SELECT NULL::text, NULL::uuid, NULL::text, NULL::text, NULL::uuid, NULL::uuid, NULL::jsonb, NULL::text;
END $$
"""


def upgrade() -> None:
    op.alter_column("member", "locale", nullable=True, server_default=None, schema="core")
    for table in ("staff", "operator"):
        op.add_column(table, sa.Column("locale", sa.Text(), nullable=True), schema="core")
    op.execute("DROP FUNCTION core.enter_tenant(uuid, bytea, bytea)")
    op.execute(ENTER_TENANT)
