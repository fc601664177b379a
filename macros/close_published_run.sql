{#- Pre-hook of every memory table. A run whose plan is published, or was, is closed: without this a `dbt run` of some models, or the retry of another
    build, would change under its readers what a whole build published. -#}
{% macro close_published_run() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'retry') -%}
        {%- for run in room_rows('checks', 'run_config', 'run_id', 'where run_id in (select run_id from ' ~ publications() ~ ')') -%}
            {%- do exceptions.raise_compiler_error(
                'Run ' ~ run[0] ~ ' was published, so its rows in memory are never written again: nothing was changed. '
                ~ 'What to do: `dbt build` makes a new run; a narrower command makes one if it selects run_config too.'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
