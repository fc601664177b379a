{#- The closing lines about publishing: whether this build's plan is the one that is read, and where. -#}
{% macro publication_lines() -%}
    {%- set lines = [] -%}
    {%- set decided = room_rows('memory', 'publish', 'decision, run_id, cycle_start', 'where run_id in (select run_id from ' ~ room_relation('checks', 'run_config') ~ ')') -%}
    {%- set pointer = room_rows('memory', 'publications', 'run_id, cycle_start', 'order by published_at desc limit 1') -%}
    {%- set schema = var('nba_schema_prefix', '') ~ 'published' -%}
    {%- for row in decided -%}
        {%- if row[0] == 'earlier_cycle' -%}
            {%- do lines.append('Not published: cycle ' ~ row[2] ~ ' lies before the published cycle ' ~ pointer[0][1] ~ '. To publish it anyway: nba_publish_past: true.') -%}
        {%- elif row[0] == 'not_a_full_build' -%}
            {%- do lines.append('Not published: only `dbt build` without a selection publishes.') -%}
        {%- elif pointer and pointer[0][0] != row[1] -%}
            {%- do lines.append('Not published again: run ' ~ row[1] ~ ' was published before and is not the newest.') -%}
        {%- else -%}
            {%- do lines.append('Published: run ' ~ row[1] ~ ', cycle ' ~ row[2] ~ '. Read it in schema ' ~ schema ~ ', for example ' ~ schema ~ '.recommendations.') -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(lines) }}
{%- endmacro %}
