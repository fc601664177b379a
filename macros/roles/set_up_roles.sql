{#- Operation behind `nba roles`: prints (run: false) or runs the statements that create the roles and grant what they may. They can be
    repeated, before the first build and after any. -#}
{% macro set_up_roles(run=false) -%}
    {%- if not role_named('builder') -%}
        {%- do exceptions.raise_compiler_error('no roles are named. What to do: give the var nba_roles, for example {loader: nba_loader, builder: nba_builder, reader: nba_reader, rep: nba_rep}') -%}
    {%- endif -%}
    {%- set statements = adapter.dispatch('role_statements', 'nba')() -%}
    {%- if not run -%}
        {%- do print((statements | join(';\n')) ~ ';') -%}
    {%- else -%}
        {%- for text in statements -%}
            {%- call statement('set_up_roles', auto_begin=true) -%}{{ text }}{%- endcall -%}
        {%- endfor -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
{%- endmacro %}
