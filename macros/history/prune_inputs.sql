{#- Post-hook of prune_memory, in its transaction: copies of inputs that none of the last nba_keep_inputs published runs needs. Only after this run
    was published, else an unpublished trial would take copies of the runs before. -#}
{% macro prune_inputs(pruned) -%}
    {%- set statements = [] -%}
    {%- if execute -%}
        {%- set published = run_query('select run_id from ' ~ publications() ~ ' where run_id in (select run_id from ' ~ room_relation('checks', 'run_config') ~ ')').rows -%}
        {%- set needed = run_query(
            'select distinct inputs.kept_as from ' ~ room_relation('memory', 'inputs_by_run') ~ ' as inputs inner join ('
            ~ 'select run_id, row_number() over (order by max(published_at) desc, run_id) as place from ' ~ publications() ~ ' group by run_id'
            ~ ') as ranked on inputs.run_id = ranked.run_id where inputs.kept_as is not null and ranked.place <= ' ~ (var('nba_keep_inputs') | int)
        ).columns[0].values() -%}
        {%- set there = run_query("select table_name from information_schema.tables where table_catalog = " ~ text_literal(target.database)
            ~ " and table_schema = " ~ text_literal(room_relation('kept', 'x').schema)).columns[0].values() -%}
        {%- for name in there if published and name not in needed -%}
            {%- do statements.append('drop table ' ~ room_relation('kept', name)) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(statements | join(';\n')) }}
{%- endmacro %}
