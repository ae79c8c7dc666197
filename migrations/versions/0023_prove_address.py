"""An owner who proves the address lets a merchant work again that was suspended for want of that, and for nothing else."""

from alembic import op

from regulars.kernel.db.rls import APP

revision = "0023"
down_revision = "0022"

PROVE_ADDRESS = """
CREATE FUNCTION core.prove_address() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE mine uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  UPDATE core.tenant SET status = 'active'
  WHERE status = 'suspended' AND (id = mine OR live_tenant_id = mine)
    AND EXISTS (SELECT FROM core.tenant t WHERE t.id = mine AND t.verify_by IS NOT NULL);
  UPDATE core.tenant SET verify_by = NULL WHERE id = mine AND verify_by IS NOT NULL;
  RETURN FOUND;
END $$
"""


def upgrade() -> None:
    op.execute(PROVE_ADDRESS)
    op.execute(
        "UPDATE core.tenant SET verify_by = NULL WHERE status = 'suspended' AND verify_by > now()"
    )  # not for that
    op.execute("REVOKE ALL ON FUNCTION core.prove_address() FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION core.prove_address() TO {APP}")
