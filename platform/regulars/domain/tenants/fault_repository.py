"""Queries of the faults of plugins, which are lines of the audit log."""

from __future__ import annotations

from sqlalchemy import text

STATE = text("""
    SELECT count(*) AS faults,
      EXISTS (SELECT 1 FROM core.kill_switch k
        WHERE k.plugin = :plugin AND (k.tenant_id IS NULL OR k.tenant_id = :tenant_id)) AS is_stopped
    FROM core.audit_log f
    WHERE f.tenant_id = :tenant_id AND f.action = 'plugin.failed' AND f.details->>'plugin' = :plugin
      AND f.created_at > core.now() - CAST(:window AS interval)
      AND f.created_at > coalesce((SELECT max(r.created_at) FROM core.audit_log r WHERE r.tenant_id = :tenant_id
        AND r.action = 'plugin.revived' AND r.details->>'plugin' = :plugin), '-infinity')
""")
OF_ALL = text("""
    SELECT f.details->>'plugin' AS plugin, count(*) AS faults, array_agg(DISTINCT t.slug) AS tenants
    FROM core.audit_log f JOIN core.tenant t ON t.id = f.tenant_id
    WHERE f.action = 'plugin.failed' AND f.created_at > core.now() - interval '24 hours' GROUP BY 1
""")
STOPPED = text("""
    SELECT k.plugin, t.id, t.slug FROM core.kill_switch k JOIN core.tenant t ON t.id = k.tenant_id
    WHERE t.live_tenant_id IS NULL ORDER BY t.slug
""")
OF_TENANT = text("""
    SELECT f.details->>'plugin' AS plugin, count(*) AS faults FROM core.audit_log f
    WHERE f.tenant_id = :tenant_id AND f.action = 'plugin.failed' AND f.created_at > core.now() - interval '24 hours'
    GROUP BY 1
""")
