{#- dbt puts this behind the code of every Python model. On Snowflake the model is wrapped there, so that the models are the same on every engine;
    elsewhere nothing is added. -#}
{% macro py_script_comment() -%}
    {%- if target.type == 'snowflake' -%}
from nba.snowflake.procedure import for_snowpark
model = for_snowpark(model)
    {%- endif -%}
{%- endmacro %}
