{#- A table that a whole build leaves as it is where inputs, settings, code and its own SQL are those that it was made from, and makes anew in every other
    case: a part of a build, a retry, --full-refresh, an engine of another release. For tables that hold nothing of a run and read nothing from memory. -#}
{% materialization kept_while_unchanged, default %}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set grant_config = config.get('grants') -%}
    {%- set made_from = making_of_this(sql) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- set can_stay = made_from and existing_relation is not none and existing_relation.is_table and not should_full_refresh() -%}
    {%- if can_stay and made_from == remembered_making(this) -%}
        {%- call noop_statement('main', 'UNCHANGED', 'UNCHANGED') -%}{{ sql }}{%- endcall -%}
    {%- else -%}
        {#- forgotten first: where an engine commits each statement, a table that is half-way is nobody's -#}
        {%- call statement('forget') -%}
            delete from {{ makings() }} where table_name = {{ text_literal(this.render()) }}
        {%- endcall -%}
        {%- if existing_relation is not none -%}
            {%- do adapter.drop_relation(existing_relation) -%}
        {%- endif -%}
        {%- call statement('main') -%}
            {{ get_create_table_as_sql(False, target_relation, sql) }}
        {%- endcall -%}
        {%- do create_indexes(target_relation) -%}
        {%- if made_from -%}
            {%- call statement('remember') -%}
                insert into {{ makings() }} (table_name, made_from) values ({{ text_literal(this.render()) }}, {{ text_literal(made_from) }})
            {%- endcall -%}
        {%- endif -%}
        {%- do persist_docs(target_relation, model) -%}
    {%- endif -%}

    {%- do apply_grants(target_relation, grant_config, should_revoke=should_revoke(existing_relation, full_refresh_mode=true)) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
