"""What PostgreSQL's catalogue is asked. Placeholders are `$name`."""

TABLES = """
select schema.nspname, stored.relname, stored.relkind in ('v', 'm')
from pg_class as stored
inner join pg_namespace as schema on stored.relnamespace = schema.oid
where stored.relkind in ('r', 'p', 'f', 'v', 'm')
    and schema.nspname !~ '^(pg_|information_schema$)'
    and schema.nspname = coalesce($schema, schema.nspname)
"""
COLUMNS = """
select attname, format_type(atttypid, atttypmod)
from pg_attribute
where attrelid = to_regclass($place) and attnum > 0 and not attisdropped
order by attnum
"""
DEPENDENT_VIEWS = """
with recursive dependent(oid) as (
    select to_regclass($place)::oid
    union
    select rule.ev_class
    from dependent
    inner join pg_depend as link on link.refobjid = dependent.oid and link.classid = 'pg_rewrite'::regclass
    inner join pg_rewrite as rule on link.objid = rule.oid
)
select schema.nspname, view.relname
from dependent
inner join pg_class as view on dependent.oid = view.oid
inner join pg_namespace as schema on view.relnamespace = schema.oid
where view.oid <> to_regclass($place)
order by 1, 2
"""
