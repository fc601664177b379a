{#- One hash over everything that the rows of a staged or feature table follow from: the canonical hash of all inputs, the code, the settings of the run,
    its own SQL and the engine. None where the hash of the inputs may be that of another build: then nothing is taken for unchanged, nor remembered. -#}
{% macro making_of_this(sql) -%}
    {%- if not is_full_build() -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set parts = [sql, dbt_version, run_query('select ' ~ engine_version()).rows[0][0], invocation_args_dict.get('vars') | string] -%}
    {%- for query in ['select input_fingerprint, code_version from ' ~ room_relation('plan', 'input_fingerprint'), 'select * from ' ~ room_relation('checks', 'run_config')] -%}
        {%- set found = run_query(query) -%}
        {%- for name in found.column_names if name | lower != 'run_id' -%}
            {%- do parts.append(name | lower ~ '=' ~ found.columns[name].values() | join(',')) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(local_md5(parts | join('\n'))) }}
{%- endmacro %}
