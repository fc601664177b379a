{#- What a given table lacks of its contract: the table, a required column, a column that cannot be read as the contract's type. -#}
{% macro table_problems(source_name, table_name, given) -%}
    {%- set problems = [] -%}
    {%- set contract = contract_table(source_name, table_name) -%}
    {%- set other_case = named_in_other_case(given) -%}
    {%- set relation = none if other_case else load_relation(given) -%}
    {%- if other_case -%}
        {%- do problems.append({
            'check': 'missing_table', 'severity': 'error', 'column': '', 'problem': 'is missing: there is ' ~ other_case ~ ', and case counts',
            'what_to_do': 'rename it to ' ~ given.schema ~ '.' ~ given.identifier ~ ', or write the switches as the warehouse writes the name',
        }) -%}
    {%- elif relation is none -%}
        {%- if contract.meta.required -%}
            {%- do problems.append({
                'check': 'missing_table', 'severity': 'error', 'column': '', 'problem': 'is missing: there is no table ' ~ (given.database ~ '.' if var('input_database') else '') ~ given.schema ~ '.' ~ given.identifier,
                'what_to_do': ('run nba init-rules --schema ' ~ given.schema ~ ' to create the empty rule tables') if source_name == 'rules' else 'load it with nba load, or point input_schema and input_tables at your own table',
            }) -%}
        {%- endif -%}
    {%- else -%}
        {%- set types = {} -%}
        {%- set there = adapter.get_columns_in_relation(relation) -%}
        {#- every column of hcp_master is a candidate feature and is read by its name -#}
        {%- for column in there if table_name == 'hcp_master' and modules.re.search('["\\x00-\\x1f\\x7f]', column.name) -%}
            {%- do problems.append({'check': 'column_name', 'severity': 'error', 'column': column.name, 'problem': 'has a ' ~ ('double quote' if '"' in column.name else 'control character') ~ ' in its name', 'what_to_do': 'rename the column in the table or in a view over it'}) -%}
        {%- endfor -%}
        {%- for column in there -%}
            {%- do types.update({column.name | lower: column.data_type | lower}) -%}
        {%- endfor -%}
        {%- for name, column in contract.columns.items() -%}
            {%- if name | lower not in types -%}
                {%- if column.meta.required -%}
                    {%- do problems.append({'check': 'missing_column', 'severity': 'error', 'column': name, 'problem': 'is missing: the table has no such column', 'what_to_do': 'add the column ' ~ name ~ ' (' ~ column.data_type ~ '): ' ~ column.description.rstrip('.')}) -%}
                {%- endif -%}
            {%- elif not is_readable_as(types[name | lower], column.data_type) -%}
                {%- do problems.append({'check': 'wrong_type', 'severity': 'error', 'column': name, 'problem': 'has type ' ~ types[name | lower].replace('character varying(256)', 'text') ~ ', which is not ' ~ column.data_type, 'what_to_do': 'cast it to ' ~ column.data_type ~ ' in the table or in a view over it'}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(problems) }}
{%- endmacro %}
