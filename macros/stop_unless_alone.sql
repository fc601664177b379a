{#- Pre-hook of every model: the lock of one_build_at_a_time ends with its connection, which the server may end at any time (a restart, an
    administrator). Another build may be in the same schemas by then, so this one must not write any more. -#}
{% macro stop_unless_alone() -%}
    {%- if execute -%}
        {{ return(adapter.dispatch('stop_unless_alone', 'nba')()) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__stop_unless_alone() -%}
{%- endmacro %}

{% macro pgpy__stop_unless_alone() -%}
    {%- if adapter.has_lost_lock() -%}
        {%- do exceptions.raise_compiler_error(
            'The connection that keeps other builds out of database ' ~ target.database ~ ' was lost (the server was restarted, or the session ended): '
            ~ 'this build stops here and publishes nothing. What to do: `dbt build` again.'
        ) -%}
    {%- endif -%}
{%- endmacro %}
