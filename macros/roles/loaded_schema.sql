{#- The schema that the loader writes: the one of the inputs, `raw` for the sample. -#}
{% macro loaded_schema() -%}
    {{ return('raw' if var('input_schema') == 'sample' else var('input_schema')) }}
{%- endmacro %}
