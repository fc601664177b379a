{#- Query over the catalogue: published relations through which rows could be read past row security, and why. No row = none. -#}
{% macro unprotected_published() -%}
    {{ return(adapter.dispatch('unprotected_published', 'nba')()) }}
{%- endmacro %}

{% macro default__unprotected_published() -%}
    select cast(null as text) as relation, cast(null as text) as problem where 1 = 0
{%- endmacro %}

{% macro postgres__unprotected_published() -%}
    {%- if not role_named('builder') -%}
        {{ return(default__unprotected_published()) }}
    {%- endif -%}
    with recursive

    -- what each published relation reads, view by view down to the tables
    reads as (
        select
            shown.oid as shown,
            shown.oid as read
        from pg_class as shown
        inner join pg_namespace as room on shown.relnamespace = room.oid
        where room.nspname = {{ text_literal(room_relation('published', 'x').schema) }} and shown.relkind in ('r', 'p', 'v', 'm', 'f')

        union

        select
            reads.shown,
            link.refobjid
        from reads
        inner join pg_rewrite as rule on reads.read = rule.ev_class
        inner join pg_depend as link on rule.oid = link.objid and link.classid = 'pg_rewrite'::regclass and link.refclassid = 'pg_class'::regclass
    ),

    judged as (
        select
            reads.shown::regclass::text as relation,
            case
                when found.relkind = 'v' and not coalesce('security_invoker=true' = any(found.reloptions), false) then 'is a view that reads with the rights of its owner'
                when found.relkind = 'm' then 'is a materialized view, which has no row security'
                when found.relkind in ('r', 'p', 'f') and not found.relrowsecurity then 'is a table without row security'
                when found.relkind in ('r', 'p', 'f') and not exists (select 1 from pg_policy as policy where policy.polrelid = found.oid and policy.polname <> 'nba_reader')
                    then 'has no policy for anyone but readers'
            end as problem,
            found.oid::regclass::text as culprit
        from reads
        inner join pg_class as found on reads.read = found.oid
        where found.relkind in ('r', 'p', 'v', 'm', 'f')
    )

    select
        relation,
        culprit || ' ' || problem as problem
    from judged
    where problem is not null
{%- endmacro %}
