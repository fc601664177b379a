{#- Post-hook of memory__rule_changes: one event for each rule table that differs from the published plan's, with the first rows before and
    after and who changed them; managers' overrides bear a name of their own. All rows are in rule_changes. -#}
{% macro record_rule_changes(changes) -%}
    {%- set statements = [] -%}
    {%- if execute -%}
        {%- set here = ' where run_id in (select run_id from ' ~ room_relation('checks', 'run_config') ~ ')' -%}
        {%- set columns = 'rule_table, change, row_before, row_after, changed_by, base_run_id' -%}
        {%- for name in run_query('select distinct rule_table from ' ~ changes ~ here ~ ' order by 1').columns[0].values() -%}
            {%- set counts = run_query('select change, count(*) from ' ~ changes ~ here ~ ' and rule_table = ' ~ text_literal(name) ~ ' group by change order by change').rows -%}
            {%- set rows = run_query('select ' ~ columns ~ ' from ' ~ changes ~ here ~ ' and rule_table = ' ~ text_literal(name) ~ ' order by row_key, change, row_before, row_after limit 20').rows -%}
            {%- set said = {'base_run': rows[0][5], 'counts': {}, 'rows': []} -%}
            {%- for count in counts -%}
                {%- do said.counts.update({count[0]: count[1] | int}) -%}
            {%- endfor -%}
            {%- for row in rows -%}
                {%- do said.rows.append({'change': row[1], 'before': row[2], 'after': row[3], 'by': row[4]}) -%}
            {%- endfor -%}
            {%- do statements.append(record_event('override_recorded' if name == 'rule_override' else 'rules_changed', text_literal(name), text_literal(tojson(said, sort_keys=true)))) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(statements | join(';\n')) }}
{%- endmacro %}
