"""The host's tables, roles' rights, row-level security, clock, tenant entry and snapshot."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

from regulars.kernel.db.rls import APP, APPEND_ONLY, PLATFORM, bump_revision_on_change, protect

revision = "0001"
down_revision = None

READ, READ_INSERT_UPDATE = "SELECT", "SELECT, INSERT, UPDATE"
KEEP_ALL_BUT = "SELECT, INSERT, UPDATE ({})"
"""Rows that stand for money, access or proof: only what says how they stand may change."""
TENANT_TABLES = {
    "account": KEEP_ALL_BUT.format("balance, lifetime, seq, last_at"),
    "api_key": KEEP_ALL_BUT.format("revoked_at"),
    "audit_log": APPEND_ONLY,
    "card": KEEP_ALL_BUT.format("status"),
    "consent": APPEND_ONLY,
    "idempotency": APPEND_ONLY,
    "job": READ_INSERT_UPDATE,
    "ledger_entry": APPEND_ONLY,
    "ledger_lot": KEEP_ALL_BUT.format("amount_left"),
    "ledger_lot_use": APPEND_ONLY,
    "mail": KEEP_ALL_BUT.format("status, attempts, error, sent_at"),
    "member": READ_INSERT_UPDATE,
    "outbox_event": APPEND_ONLY,
    "plugin_settings": READ_INSERT_UPDATE,
    "program": READ_INSERT_UPDATE,
    "redemption": KEEP_ALL_BUT.format("status, undone_at"),
    "sale": KEEP_ALL_BUT.format("undone_at"),
    "session": f"{KEEP_ALL_BUT.format('shop_id')}, DELETE",
    "shop": READ_INSERT_UPDATE,
    "staff": READ_INSERT_UPDATE,
    "tenant_plugin": READ_INSERT_UPDATE,
}
APPEND_ONLY_FOR_ALL = ("audit_log", "ledger_entry")
OPERATORS_ONLY = ("kill_switch", "tenant_host", "tenant_override")
PLATFORM_TABLES = ("cron_slot", "operator", "operator_key", "operator_session", "platform")
REVISED = ("tenant_host", "tenant_override", "tenant_plugin", "kill_switch", "plugin_settings", "program")

CLOCK = """
CREATE FUNCTION core.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
AS $$
  SELECT now() + (SELECT c.shift FROM core.clock c WHERE c.backend IN (0, pg_backend_pid())
                  ORDER BY c.backend DESC LIMIT 1)
$$
"""
ENTER_TENANT = """
CREATE FUNCTION core.enter_tenant(p_tenant uuid, p_session_hash bytea, p_key_hash bytea)
RETURNS TABLE (kind text, id uuid, name text, role text, session_id uuid, shop_id uuid, permissions jsonb)
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
  IF current_setting('app.tenant_id', true) <> '' THEN
    RAISE EXCEPTION 'a tenant was set before the transaction entered one' USING ERRCODE = 'RG001';
  END IF;
  PERFORM set_config('app.tenant_id', p_tenant::text, true);
  IF p_session_hash IS NOT NULL THEN
    RETURN QUERY
      SELECT CASE WHEN s.staff_id IS NOT NULL THEN 'staff' ELSE 'member' END, coalesce(s.staff_id, s.member_id),
             coalesce(st.name, m.name), coalesce(st.role, 'member'), s.id, s.shop_id, NULL::jsonb
      FROM core.session s
      LEFT JOIN core.staff st ON st.tenant_id = s.tenant_id AND st.id = s.staff_id AND st.status = 'active'
      LEFT JOIN core.member m ON m.tenant_id = s.tenant_id AND m.id = s.member_id AND m.status = 'active'
      WHERE s.tenant_id = p_tenant AND s.token_hash = p_session_hash AND s.expires_at > now()
        AND num_nonnulls(st.id, m.id) = 1;
    IF FOUND THEN RETURN; END IF;
  END IF;
  IF p_key_hash IS NOT NULL THEN
    RETURN QUERY
      SELECT 'api_key'::text, k.id, k.name, 'key'::text, NULL::uuid, k.shop_id, k.permissions
      FROM core.api_key k
      WHERE k.tenant_id = p_tenant AND k.key_hash = p_key_hash AND k.revoked_at IS NULL;
    IF FOUND THEN RETURN; END IF;
  END IF;
  RETURN QUERY SELECT NULL::text, NULL::uuid, NULL::text, NULL::text, NULL::uuid, NULL::uuid, NULL::jsonb;
END $$
"""
RESOLVE_HOST = """
CREATE FUNCTION core.resolve_host(p_host text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT jsonb_build_object(
    'id', t.id, 'slug', t.slug, 'name', t.name, 'status', t.status, 'live_tenant_id', t.live_tenant_id,
    'host', coalesce((SELECT p.host FROM core.tenant_host p WHERE p.tenant_id = t.id AND p.is_primary LIMIT 1), h.host),
    'offering', t.offering, 'offering_features', o.features, 'offering_limits', o.limits,
    'overrides', coalesce((SELECT jsonb_agg(jsonb_build_object(
        'name', v.name, 'kind', v.kind, 'value', v.value, 'expires_at', v.expires_at))
      FROM core.tenant_override v WHERE v.tenant_id = t.id), '[]'),
    'switches', coalesce((SELECT jsonb_object_agg(s.plugin, s.switched_on)
      FROM core.tenant_plugin s WHERE s.tenant_id = t.id), '{}'),
    'killed', coalesce((SELECT jsonb_agg(DISTINCT k.plugin)
      FROM core.kill_switch k WHERE k.tenant_id IS NULL OR k.tenant_id = t.id), '[]'),
    'theme', t.theme, 'branding', t.branding, 'locales', t.locales, 'default_locale', t.default_locale,
    'timezone', t.timezone, 'currency', t.currency, 'country', t.country, 'revision', t.revision, 'now', core.now())
  FROM core.tenant_host h
  JOIN core.tenant t ON t.id = h.tenant_id
  JOIN core.offering o ON o.code = t.offering
  WHERE h.host = p_host
$$
"""
TRIGGERS = (
    """
    CREATE FUNCTION core.renew_revision() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN NEW.revision := OLD.revision + 1; RETURN NEW; END $$
    """,
    """
    CREATE TRIGGER renew_revision BEFORE UPDATE ON core.tenant FOR EACH ROW EXECUTE FUNCTION core.renew_revision()
    """,
    """
    CREATE FUNCTION core.announce_tenant() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_notify('tenant_changed', NEW.id::text); RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER announce_tenant AFTER INSERT OR UPDATE ON core.tenant
    FOR EACH ROW EXECUTE FUNCTION core.announce_tenant()
    """,
    """
    CREATE FUNCTION core.announce_all() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_notify('tenant_changed', '*'); RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER announce_all AFTER INSERT OR UPDATE OR DELETE ON core.offering
    FOR EACH STATEMENT EXECUTE FUNCTION core.announce_all()
    """,
    """
    CREATE FUNCTION core.touch_tenant() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE touched uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.tenant_id ELSE NEW.tenant_id END;
    BEGIN
      IF touched IS NULL THEN PERFORM pg_notify('tenant_changed', '*');
      ELSE UPDATE core.tenant SET revision = revision + 1 WHERE id = touched; END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION core.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION '% is append-only: write a reversing entry instead', TG_TABLE_NAME USING ERRCODE = 'RG002';
    END $$
    """,
)


def _create_clock() -> None:
    op.create_table(
        "clock",
        sa.Column("backend", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("shift", sa.Interval(), server_default=sa.text("interval '0'"), nullable=False),
        sa.PrimaryKeyConstraint("backend", name=op.f("pk_clock")),
        schema="core",
    )
    op.execute("INSERT INTO core.clock DEFAULT VALUES")
    op.execute(CLOCK)


def _create_tables() -> None:
    op.create_table(
        "audit_log",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("details", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_log")),
        schema="core",
    )
    op.create_index("ix_audit_log_created", "audit_log", ["tenant_id", "created_at"], unique=False, schema="core")
    op.create_index("ix_audit_log_subject", "audit_log", ["tenant_id", "subject_id"], unique=False, schema="core")
    op.create_table(
        "cron_slot",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", "scheduled_at", name=op.f("pk_cron_slot")),
        schema="core",
    )
    op.create_table(
        "idempotency",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", BYTEA(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column("body", BYTEA(), nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=True),
        sa.Column("redemption_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "principal", "key", name=op.f("pk_idempotency")),
        schema="core",
    )
    op.create_index("ix_idempotency_created", "idempotency", ["tenant_id", "created_at"], unique=False, schema="core")
    op.create_table(
        "job",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("dedup_key", sa.Text(), nullable=True),
        sa.Column("order_key", sa.Text(), nullable=True),
        sa.Column("order_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.BigInteger(), server_default=sa.text("8"), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('queued', 'running', 'done', 'dead')", name=op.f("ck_job_status")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_job")),
        sa.UniqueConstraint("tenant_id", "name", "dedup_key", name=op.f("uq_job_tenant_id_name_dedup_key")),
        schema="core",
    )
    op.create_index(
        "ix_job_due",
        "job",
        ["tenant_id", "run_at", "id"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_index(
        "ix_job_order",
        "job",
        ["tenant_id", "order_key", "order_seq"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("status IN ('queued', 'running') AND order_key IS NOT NULL"),
    )
    op.create_table(
        "offering",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("features", JSONB(), nullable=False),
        sa.Column("limits", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_offering")),
        schema="core",
    )
    op.create_table(
        "operator",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("login_failures", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("login_locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator")),
        sa.UniqueConstraint("email", name=op.f("uq_operator_email")),
        schema="core",
    )
    op.create_table(
        "outbox_event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("order_key", sa.Uuid(), nullable=True),
        sa.Column("entry_id", sa.Uuid(), nullable=True),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_outbox_event")),
        schema="core",
    )
    op.create_index(
        "ix_outbox_event_unpublished",
        "outbox_event",
        ["seq"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("published_at IS NULL"),
    )
    op.create_index(
        "uq_outbox_event_entry",
        "outbox_event",
        ["tenant_id", "entry_id"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("entry_id IS NOT NULL"),
    )
    op.create_table(
        "platform",
        sa.Column("base_domain", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("base_domain", name=op.f("pk_platform")),
        schema="core",
    )
    op.create_table(
        "platform_audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_audit")),
        schema="core",
    )
    op.create_index("ix_platform_audit_created", "platform_audit", ["created_at"], unique=False, schema="core")
    op.create_table(
        "plugin_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("values", JSONB(), nullable=False),
        sa.Column("secrets", BYTEA(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "plugin", "scope_id", name=op.f("pk_plugin_settings")),
        schema="core",
    )
    op.create_table(
        "tenant_plugin",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("switched_on", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "plugin", name=op.f("pk_tenant_plugin")),
        schema="core",
    )
    op.create_table(
        "operator_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", BYTEA(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["operator_id"], ["core.operator.id"], name=op.f("fk_operator_key_operator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_operator_key_key_hash")),
        schema="core",
    )
    op.create_table(
        "operator_session",
        sa.Column("token_hash", BYTEA(), nullable=False),
        sa.Column("operator_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ip", sa.Text(), server_default="", nullable=False),
        sa.Column("device", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["operator_id"], ["core.operator.id"], name=op.f("fk_operator_session_operator_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_operator_session")),
        schema="core",
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("base_domain", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("live_tenant_id", sa.Uuid(), nullable=True),
        sa.Column("offering", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), server_default="classic", nullable=False),
        sa.Column("branding", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("locales", JSONB(), server_default=sa.text("'[\"en\"]'"), nullable=False),
        sa.Column("default_locale", sa.Text(), server_default="en", nullable=False),
        sa.Column("timezone", sa.Text(), server_default="Europe/Luxembourg", nullable=False),
        sa.Column("currency", sa.Text(), server_default="EUR", nullable=False),
        sa.Column("country", sa.Text(), server_default="LU", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.CheckConstraint("status IN ('active', 'suspended', 'closed')", name=op.f("ck_tenant_status")),
        sa.ForeignKeyConstraint(["base_domain"], ["core.platform.base_domain"], name=op.f("fk_tenant_base_domain")),
        sa.ForeignKeyConstraint(["live_tenant_id"], ["core.tenant.id"], name=op.f("fk_tenant_live_tenant_id")),
        sa.ForeignKeyConstraint(["offering"], ["core.offering.code"], name=op.f("fk_tenant_offering")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenant_slug")),
        schema="core",
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", BYTEA(), nullable=False),
        sa.Column("permissions", JSONB(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["core.tenant.id"], name=op.f("fk_api_key_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("tenant_id", "key_hash", name=op.f("uq_api_key_tenant_id_key_hash")),
        schema="core",
    )
    op.create_table(
        "kill_switch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["core.tenant.id"], name=op.f("fk_kill_switch_tenant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kill_switch")),
        schema="core",
        info={"scope": "platform", "reason": "written by operators only"},
    )
    op.create_table(
        "mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text_body", sa.Text(), nullable=False),
        sa.Column("html_body", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="queued", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('queued', 'sending', 'sent', 'kept', 'failed')", name=op.f("ck_mail_status")),
        sa.ForeignKeyConstraint(["tenant_id"], ["core.tenant.id"], name=op.f("fk_mail_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_mail")),
        sa.UniqueConstraint(
            "tenant_id", "template", "recipient", "event_id", name=op.f("uq_mail_tenant_id_template_recipient_event_id")
        ),
        schema="core",
    )
    op.create_index("ix_mail_created", "mail", ["tenant_id", "created_at"], unique=False, schema="core")
    op.create_table(
        "member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("search", sa.Text(), server_default="", nullable=False),
        sa.Column("locale", sa.Text(), server_default="en", nullable=False),
        sa.Column("birthday", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("attributes", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.Column("last_activity_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.CheckConstraint("status IN ('active', 'inactive', 'erased')", name=op.f("ck_member_status")),
        sa.ForeignKeyConstraint(["tenant_id"], ["core.tenant.id"], name=op.f("fk_member_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_member")),
        sa.UniqueConstraint("tenant_id", "email", name=op.f("uq_member_tenant_id_email")),
        schema="core",
    )
    op.create_index("ix_member_enrolled", "member", ["tenant_id", "enrolled_at"], unique=False, schema="core")
    op.create_table(
        "program",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="setup", nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("require_pin", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.CheckConstraint("status IN ('setup', 'active', 'inactive')", name=op.f("ck_program_status")),
        sa.ForeignKeyConstraint(["tenant_id"], ["core.tenant.id"], name=op.f("fk_program_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_program")),
        schema="core",
    )
    op.create_table(
        "shop",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["core.tenant.id"], name=op.f("fk_shop_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_shop")),
        schema="core",
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("login_failures", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("login_locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pin_hash", BYTEA(), nullable=True),
        sa.Column("pin_failures", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("pin_locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pin_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.CheckConstraint("role IN ('owner', 'manager', 'staff')", name=op.f("ck_staff_role")),
        sa.CheckConstraint("status IN ('active', 'inactive')", name=op.f("ck_staff_status")),
        sa.ForeignKeyConstraint(["tenant_id"], ["core.tenant.id"], name=op.f("fk_staff_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_staff")),
        sa.UniqueConstraint("tenant_id", "email", name=op.f("uq_staff_tenant_id_email")),
        schema="core",
    )
    op.create_table(
        "tenant_host",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["core.tenant.id"], name=op.f("fk_tenant_host_tenant_id")),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_tenant_host")),
        schema="core",
        info={"scope": "platform", "reason": "read before a tenant is known"},
    )
    op.create_index(("ix_tenant_host_tenant_id"), "tenant_host", ["tenant_id"], unique=False, schema="core")
    op.create_table(
        "tenant_override",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.CheckConstraint("kind IN ('grant', 'deny', 'limit')", name=op.f("ck_tenant_override_kind")),
        sa.ForeignKeyConstraint(["tenant_id"], ["core.tenant.id"], name=op.f("fk_tenant_override_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("pk_tenant_override")),
        schema="core",
        info={"scope": "platform", "reason": "written by operators only"},
    )
    op.create_table(
        "card",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.CheckConstraint("number ~ '^[0-9]{12}$'", name=op.f("ck_card_number")),
        sa.CheckConstraint("status IN ('active', 'blocked', 'closed')", name=op.f("ck_card_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "member_id"],
            ["core.member.tenant_id", "core.member.id"],
            name=op.f("fk_card_tenant_id_member_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "program_id"],
            ["core.program.tenant_id", "core.program.id"],
            name=op.f("fk_card_tenant_id_program_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_card")),
        sa.UniqueConstraint(
            "tenant_id", "member_id", "program_id", name=op.f("uq_card_tenant_id_member_id_program_id")
        ),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_card_tenant_id_number")),
        sa.UniqueConstraint("tenant_id", "token", name=op.f("uq_card_tenant_id_token")),
        schema="core",
    )
    op.create_index("ix_card_created", "card", ["tenant_id", "created_at"], unique=False, schema="core")
    op.create_table(
        "consent",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "member_id"],
            ["core.member.tenant_id", "core.member.id"],
            name=op.f("fk_consent_tenant_id_member_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_consent")),
        schema="core",
    )
    op.create_index("ix_consent_member", "consent", ["tenant_id", "member_id"], unique=False, schema="core")
    op.create_table(
        "session",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", BYTEA(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("shop_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ip", sa.Text(), server_default="", nullable=False),
        sa.Column("device", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("num_nonnulls(staff_id, member_id) = 1", name=op.f("ck_session_one_holder")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "member_id"],
            ["core.member.tenant_id", "core.member.id"],
            name=op.f("fk_session_tenant_id_member_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"],
            ["core.staff.tenant_id", "core.staff.id"],
            name=op.f("fk_session_tenant_id_staff_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_session")),
        sa.UniqueConstraint("tenant_id", "token_hash", name=op.f("uq_session_tenant_id_token_hash")),
        schema="core",
    )
    op.create_index("ix_session_member", "session", ["tenant_id", "member_id"], unique=False, schema="core")
    op.create_index("ix_session_staff", "session", ["tenant_id", "staff_id"], unique=False, schema="core")
    op.create_table(
        "account",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.Column("lifetime", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("balance >= 0", name=op.f("ck_account_balance")),
        sa.CheckConstraint("lifetime >= 0", name=op.f("ck_account_lifetime")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"], name=op.f("fk_account_tenant_id_card_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "card_id", "unit", name=op.f("pk_account")),
        schema="core",
    )
    op.create_index("ix_account_balance", "account", ["tenant_id", "unit", "balance"], unique=False, schema="core")
    op.create_table(
        "redemption",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("reward_kind", sa.Text(), nullable=False),
        sa.Column("reward_key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('captured', 'undone')", name=op.f("ck_redemption_status")),
        sa.CheckConstraint("cost > 0", name=op.f("ck_redemption_cost")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_redemption_tenant_id_card_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "shop_id"],
            ["core.shop.tenant_id", "core.shop.id"],
            name=op.f("fk_redemption_tenant_id_shop_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"],
            ["core.staff.tenant_id", "core.staff.id"],
            name=op.f("fk_redemption_tenant_id_staff_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_redemption")),
        schema="core",
    )
    op.create_index("ix_redemption_card", "redemption", ["tenant_id", "card_id"], unique=False, schema="core")
    op.create_index("ix_redemption_created", "redemption", ["tenant_id", "created_at"], unique=False, schema="core")
    op.create_table(
        "sale",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("shop_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_ref", sa.Text(), nullable=True),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_minor IS NULL OR amount_minor >= 0", name=op.f("ck_sale_amount_minor")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_sale_quantity")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"], ["core.card.tenant_id", "core.card.id"], name=op.f("fk_sale_tenant_id_card_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "shop_id"], ["core.shop.tenant_id", "core.shop.id"], name=op.f("fk_sale_tenant_id_shop_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "staff_id"],
            ["core.staff.tenant_id", "core.staff.id"],
            name=op.f("fk_sale_tenant_id_staff_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sale")),
        schema="core",
    )
    op.create_index("ix_sale_card", "sale", ["tenant_id", "card_id", "occurred_at"], unique=False, schema="core")
    op.create_index("ix_sale_occurred", "sale", ["tenant_id", "occurred_at"], unique=False, schema="core")
    op.create_index(
        "uq_sale_external",
        "sale",
        ["tenant_id", "source", "external_ref"],
        unique=True,
        schema="core",
        postgresql_where=sa.text("external_ref IS NOT NULL"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("balance_after", sa.BigInteger(), nullable=False),
        sa.Column("lifetime_after", sa.BigInteger(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("counts_for_limits", sa.Boolean(), nullable=False),
        sa.Column("explanation", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("sale_id", sa.Uuid(), nullable=True),
        sa.Column("redemption_id", sa.Uuid(), nullable=True),
        sa.Column("reverses_id", sa.Uuid(), nullable=True),
        sa.Column("shop_id", sa.Uuid(), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(kind = 'reverse') = (reverses_id IS NOT NULL)", name=op.f("ck_ledger_entry_reverses")),
        sa.CheckConstraint(
            "CASE kind WHEN 'earn' THEN amount > 0 WHEN 'redeem' THEN amount < 0 WHEN 'expire' THEN amount < 0 ELSE true END",
            name=op.f("ck_ledger_entry_sign"),
        ),
        sa.CheckConstraint(
            "kind IN ('earn', 'redeem', 'expire', 'adjust', 'reverse')", name=op.f("ck_ledger_entry_kind")
        ),
        sa.CheckConstraint("amount <> 0 AND abs(amount) <= 1000000000000", name=op.f("ck_ledger_entry_amount")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_ledger_entry_tenant_id_card_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "redemption_id"],
            ["core.redemption.tenant_id", "core.redemption.id"],
            name=op.f("fk_ledger_entry_tenant_id_redemption_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "reverses_id"],
            ["core.ledger_entry.tenant_id", "core.ledger_entry.id"],
            name=op.f("fk_ledger_entry_tenant_id_reverses_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "sale_id"],
            ["core.sale.tenant_id", "core.sale.id"],
            name=op.f("fk_ledger_entry_tenant_id_sale_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint(
            "tenant_id", "card_id", "unit", "seq", name=op.f("uq_ledger_entry_tenant_id_card_id_unit_seq")
        ),
        sa.UniqueConstraint("tenant_id", "reverses_id", name=op.f("uq_ledger_entry_tenant_id_reverses_id")),
        schema="core",
    )
    op.create_index(
        "ix_ledger_entry_card", "ledger_entry", ["tenant_id", "card_id", "created_at"], unique=False, schema="core"
    )
    op.create_index("ix_ledger_entry_created", "ledger_entry", ["tenant_id", "created_at"], unique=False, schema="core")
    op.create_index("ix_ledger_entry_sale", "ledger_entry", ["tenant_id", "sale_id"], unique=False, schema="core")
    op.create_table(
        "ledger_lot",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("amount_left", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_ledger_lot_amount")),
        sa.CheckConstraint("amount_left BETWEEN 0 AND amount", name=op.f("ck_ledger_lot_amount_left")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"],
            ["core.card.tenant_id", "core.card.id"],
            name=op.f("fk_ledger_lot_tenant_id_card_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "entry_id"],
            ["core.ledger_entry.tenant_id", "core.ledger_entry.id"],
            name=op.f("fk_ledger_lot_tenant_id_entry_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ledger_lot")),
        sa.UniqueConstraint("tenant_id", "entry_id", name=op.f("uq_ledger_lot_tenant_id_entry_id")),
        schema="core",
    )
    op.create_index(
        "ix_ledger_lot_open",
        "ledger_lot",
        ["tenant_id", "card_id", "unit"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("amount_left > 0"),
    )
    op.create_table(
        "ledger_lot_use",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_lot_use_amount")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "entry_id"],
            ["core.ledger_entry.tenant_id", "core.ledger_entry.id"],
            name=op.f("fk_ledger_lot_use_tenant_id_entry_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "lot_id"],
            ["core.ledger_lot.tenant_id", "core.ledger_lot.id"],
            name=op.f("fk_ledger_lot_use_tenant_id_lot_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "lot_id", "entry_id", name=op.f("pk_ledger_lot_use")),
        schema="core",
    )
    op.create_index("ix_ledger_lot_use_entry", "ledger_lot_use", ["tenant_id", "entry_id"], unique=False, schema="core")


def upgrade() -> None:
    _create_clock()
    _create_tables()
    for statement in (ENTER_TENANT, RESOLVE_HOST, *TRIGGERS):
        op.execute(statement)
    _grant()
    for table in REVISED:
        bump_revision_on_change(op, "core", table)
    for table in APPEND_ONLY_FOR_ALL:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON core.{table} "
            "FOR EACH ROW EXECUTE FUNCTION core.refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_truncated BEFORE TRUNCATE ON core.{table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )


def _grant() -> None:
    for table, app in TENANT_TABLES.items():
        platform = "SELECT, INSERT" if table in APPEND_ONLY_FOR_ALL else "SELECT, INSERT, UPDATE, DELETE"
        protect(op, "core", table, app=app, platform=platform)
    for table in OPERATORS_ONLY:
        protect(op, "core", table, app="")
    protect(op, "core", "tenant", app=READ, platform=READ_INSERT_UPDATE, column="id")
    op.execute(f"GRANT UPDATE (name, theme, branding, locales, default_locale) ON core.tenant TO {APP}")
    op.execute(f"GRANT SELECT ON core.offering, core.clock TO {APP}, {PLATFORM}")
    op.execute(f"GRANT INSERT, UPDATE ON core.offering TO {PLATFORM}")
    op.execute(f"GRANT SELECT, INSERT ON core.platform_audit TO {PLATFORM}")
    for table in PLATFORM_TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON core.{table} TO {PLATFORM}")
    for function in ("resolve_host(text)", "touch_tenant()"):
        op.execute(f"REVOKE ALL ON FUNCTION core.{function} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION core.resolve_host(text) TO {APP}, {PLATFORM}")
