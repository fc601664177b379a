{#- A text out of the tables as a message may show it: on one line, what steers a terminal or hides in a name as `?`, and cut where it is long. -#}
{% macro one_line(text, longest=1000) -%}
    {%- set shown = modules.re.sub('[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060\\u2066-\\u2069\\ufeff]', '?', text | string) -%}
    {{ return(shown if shown | length <= longest else shown[:longest - 3] ~ '...') }}
{%- endmacro %}
