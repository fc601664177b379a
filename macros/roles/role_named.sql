{#- The name that the var nba_roles gives to a kind of role, none where it gives none; the var is checked whole. -#}
{% macro role_named(kind) -%}
    {%- set kinds = ['loader', 'builder', 'reader', 'rep', 'app'] -%}
    {%- set given = var('nba_roles', {}) -%}
    {%- if given is not mapping -%}
        {%- do exceptions.raise_compiler_error('vars.nba_roles is no mapping of ' ~ (kinds | join(', ')) ~ ' to names of roles: ' ~ given) -%}
    {%- endif -%}
    {%- for name, role in given.items() -%}
        {%- if name not in kinds -%}
            {%- do exceptions.raise_compiler_error('vars.nba_roles names ' ~ name ~ ', which is none of ' ~ (kinds | join(', '))) -%}
        {%- elif role is not string or not modules.re.fullmatch('[A-Za-z_][A-Za-z0-9_]{0,62}', role) -%}
            {%- do exceptions.raise_compiler_error('vars.nba_roles.' ~ name ~ ' is no name of a role: ' ~ role ~ '. Give letters, digits and underscores.') -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if given and (given.values() | map('lower') | unique | list | length != given | length or 'builder' not in given) -%}
        {#- one role for two kinds would have the rights of both -#}
        {%- do exceptions.raise_compiler_error('vars.nba_roles must name the builder, and no role twice: ' ~ given) -%}
    {%- endif -%}
    {{ return(given.get(kind)) }}
{%- endmacro %}
