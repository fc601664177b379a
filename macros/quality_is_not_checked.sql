{#- Says that a gate of Great Expectations cannot run on this engine, and lets the build go on. -#}
{% macro quality_is_not_checked(what) -%}
    {%- if execute and flags.WHICH in ('run', 'build', 'retry') -%}
        {%- do log('Note: the ' ~ what ~ ' gate of Great Expectations does not run on ' ~ target.type ~ ', which has no such package: contract checks and dbt tests hold alone. docs/gates.md', info=true) -%}
    {%- endif -%}
{%- endmacro %}
