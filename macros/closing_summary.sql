{% macro closing_summary(results) -%}{%- endmacro %}
