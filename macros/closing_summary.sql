{#- On-run-end: what was decided, in words. It reads what is there and never fails a build. -#}
{% macro closing_summary(results) -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'retry') -%}
        {%- set publish = results | selectattr('node.name', 'equalto', 'publish') | selectattr('node.resource_type', 'equalto', 'model') | list -%}
        {%- set failed = results | selectattr('status', 'in', ['error', 'fail', 'runtime error']) | list -%}
        {%- if publish and publish[0].status == 'success' -%}
            {%- for line in plan_lines() + publication_lines() -%}
                {%- do print(one_line(line, 2000)) -%}
            {%- endfor -%}
        {%- elif failed -%}
            {%- do print('Published is unchanged: ' ~ failed[0].node.name ~ ' failed' ~ (' and ' ~ (failed | length - 1) ~ ' more' if failed | length > 1) ~ '.') -%}
        {%- else -%}
            {%- do print('Published is unchanged: this run of dbt did not reach the publishing step.') -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
