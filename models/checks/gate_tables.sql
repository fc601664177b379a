-- depends_on: {{ ref('check_switches') }}
-- depends_on: {{ ref('check_tables') }}
{{ raise_problems([ref('check_switches'), ref('check_tables')], 'The inputs cannot be read') }}
select true as is_open
