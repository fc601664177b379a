{#- SQL condition on a row of a memory table: whether it is visible under a scope (row_scopes) to a role of that kind (rep or app).
    A rep is who logged in, looked up in role_access: no setting of his session counts. An app says for whom it asks in the settings
    nba.territories (JSON list; "*" = all) and nba.rep_id of its transaction. Nothing said, nothing seen. -#}
{% macro visible_rows(scope, kind) -%}
    {{ return(adapter.dispatch('visible_rows', 'nba')(scope, kind)) }}
{%- endmacro %}

{% macro default__visible_rows(scope, kind) -%}
    {{ return('1 = 0') }}
{%- endmacro %}

{% macro postgres__visible_rows(scope, kind) -%}
    {%- if kind == 'app' -%}
        {%- set said = "nullif(current_setting('nba.territories', true), '')::jsonb" -%}
        {%- set every = "(select coalesce(" ~ said ~ " @> '\"*\"', false))" -%}
        {%- set known = "(select coalesce(jsonb_array_length(" ~ said ~ ") > 0, false))" -%}
        {%- set territories = "(select jsonb_array_elements_text(" ~ said ~ "))" -%}
        {%- set reps = "(select nullif(current_setting('nba.rep_id', true), ''))" -%}
    {%- else -%}
        {%- set mine = " from " ~ role_access() ~ " as access where access.login = current_user" -%}
        {%- set every = "exists (select 1" ~ mine ~ " and access.territory_id = '*')" -%}
        {%- set known = "exists (select 1" ~ mine ~ ")" -%}
        {%- set territories = "(select access.territory_id" ~ mine ~ ")" -%}
        {%- set reps = "(select access.rep_id" ~ mine ~ ")" -%}
    {%- endif -%}
    {%- set conditions = {
        'territory': every ~ ' or territory_id in ' ~ territories,
        'rep': every ~ ' or rep_id in ' ~ reps,
        'limit': every ~ ' or rep_id in ' ~ reps ~ ' or (rep_id is null and territory_id in ' ~ territories ~ ')'
            ~ ' or (rep_id is null and territory_id is null and ' ~ known ~ ')',
        'run': known,
        'manager': every,
        'own': 'login = current_user',
    } -%}
    {{ return(conditions[scope]) }}
{%- endmacro %}

{#- Here a policy names its columns as arguments: row_territory_id, row_rep_id. Who builds or reads everything is in the condition as well. -#}
{% macro snowflake__visible_rows(scope, kind) -%}
    {%- set mine = 'exists (select 1 from ' ~ role_access() ~ ' as access where access.login = current_user() and ' -%}
    {%- set every = [] -%}
    {%- for name in ['builder', 'reader'] if role_named(name) -%}
        {%- do every.append("is_role_in_session('" ~ (role_named(name) | upper) ~ "')") -%}
    {%- endfor -%}
    {%- do every.append(mine ~ "access.territory_id = '*')") -%}
    {%- set territory = mine ~ 'access.territory_id = row_territory_id)' -%}
    {%- set rep = mine ~ 'access.rep_id = row_rep_id)' -%}
    {%- set known = mine ~ 'true)' -%}
    {%- set conditions = {
        'territory': territory,
        'rep': rep,
        'limit': rep ~ ' or (row_rep_id is null and ' ~ territory ~ ') or (row_rep_id is null and row_territory_id is null and ' ~ known ~ ')',
        'run': known,
        'manager': 'false',
    } -%}
    {{ return((every | join(' or ')) ~ ' or ' ~ conditions[scope]) }}
{%- endmacro %}
