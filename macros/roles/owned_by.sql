{#- A statement on PostgreSQL that hands a schema, where it is there, and all its relations over to a role. -#}
{% macro owned_by(schema, role) -%}
do $$
declare found record;
begin
    if exists (select 1 from pg_namespace where nspname = {{ text_literal(schema) }}) then
        execute format('alter schema %I owner to %I', {{ text_literal(schema) }}, {{ text_literal(role) }});
    end if;
    for found in
        select relation.relname from pg_class as relation
        inner join pg_namespace as room on relation.relnamespace = room.oid
        where room.nspname = {{ text_literal(schema) }} and relation.relkind in ('r', 'p', 'f', 'v', 'm')
            and pg_get_userbyid(relation.relowner) <> {{ text_literal(role) }}
    loop
        execute format('alter table %I.%I owner to %I', {{ text_literal(schema) }}, found.relname, {{ text_literal(role) }});
    end loop;
end $$
{%- endmacro %}
