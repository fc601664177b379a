{#- Pre-hook: tells the engine that large tables are about to be joined whole, where it would otherwise guess, from columns that hang together, that few rows
    are left and go through a table once for each of them. -#}
{% macro plan_for_batches() -%}
    {{ return(adapter.dispatch('plan_for_batches', 'nba')()) }}
{%- endmacro %}

{% macro default__plan_for_batches() -%}
{%- endmacro %}

{#- For the session, so that the tests which follow have it too. Joins with one row are loops all the same, and their nominal cost must not start a compiler. -#}
{% macro postgres__plan_for_batches() -%}
set enable_nestloop = off; set jit = off
{%- endmacro %}
