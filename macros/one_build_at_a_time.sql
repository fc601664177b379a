{#- On-run-start: keeps a second build out of the same schemas until this one ends, on engines that would let it in. -#}
{% macro one_build_at_a_time() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'retry', 'seed', 'snapshot') -%}
        {%- do adapter.dispatch('one_build_at_a_time', 'nba')() -%}
    {%- endif -%}
{%- endmacro %}

{#- DuckDB locks its file, see nba/build_lock.py. -#}
{% macro default__one_build_at_a_time() -%}
{%- endmacro %}

{% macro pgpy__one_build_at_a_time() -%}
    {%- set seconds = env_var('NBA_BUILD_WAIT_SECONDS', '0') or '0' -%}
    {%- if not modules.re.fullmatch('[0-9]{1,6}([.][0-9]*)?', seconds) -%}
        {%- do exceptions.raise_compiler_error('NBA_BUILD_WAIT_SECONDS is no number of seconds from 0 on: ' ~ seconds ~ '. Nothing was built.') -%}
    {%- endif -%}
    {%- set rooms = ['rooms of ' ~ var('nba_schema_prefix', '')] -%}
    {#- the sample's inputs lie outside the prefix -#}
    {%- if var('input_schema') == 'sample' -%}
        {%- do rooms.append('sample') -%}
    {%- endif -%}
    {%- for room in rooms -%}
        {%- set holder = adapter.hold_lock('nba build, ' ~ room, seconds | float) -%}
        {%- if holder -%}
            {%- do exceptions.raise_compiler_error(
                'Another build is under way in database ' ~ target.database ~ ' (' ~ holder ~ '): two at once would mix their tables. Nothing was built. '
                ~ 'What to do: let the other one end, or set NBA_BUILD_WAIT_SECONDS to wait for it.'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
