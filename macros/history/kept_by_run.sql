{#- What the rooms of memory are made with: the rows of this run are added to those of earlier ones, without a copy of them on the way. A run that is
    repeated replaces its own rows. Columns that are new are added and empty in older rows; nothing ever drops the table, --full-refresh neither. Constraints hold
    as in any table; that dbt thinks they do not is why they say `warn_unsupported: false`. -#}
{% materialization kept_by_run, default %}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set grant_config = config.get('grants') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if existing_relation is none -%}
        {%- call statement('main') -%}
            {{ get_create_table_as_sql(False, target_relation, sql) }}
        {%- endcall -%}
        {%- do create_indexes(target_relation) -%}
    {%- else -%}
        {{ get_assert_columns_equivalent(sql) }}
        {%- do add_missing_columns(target_relation, model.columns) -%}
        {%- call statement('main') -%}
            {{ as_one_change(rows_of_this_run(target_relation, model.columns, sql)) }}
        {%- endcall -%}
    {%- endif -%}

    {%- do apply_grants(target_relation, grant_config, should_revoke=should_revoke(existing_relation, full_refresh_mode=false)) -%}
    {%- do persist_docs(target_relation, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
