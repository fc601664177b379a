{#- Columns of hcp_master that the run has switched on as features: lower case, each once, without those that always are features. -#}
{% macro hcp_attributes() -%}
    {%- set given = var('hcp_attributes', []) -%}
    {%- set given = given.split(',') if given is string else given -%}
    {%- set always = ['specialty', 'practice_type', 'rep_access', 'decile'] -%}
    {{ return(given | map('trim') | map('lower') | reject('in', always + ['']) | unique | list) }}
{%- endmacro %}
